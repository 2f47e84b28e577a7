//! The rows of accounts as documents: themselves, their sign-ins, what happened, failed tries.

use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, EventId};

use super::super::{
    AccountRow, EventKind, EventRow, InvitationRow, KdfRow, Result, Role, SessionRow, StoreError,
    TriesRow,
};
use super::documents::{array, binary, date, time};

#[derive(Serialize, Deserialize)]
pub(super) struct AccountDoc {
    #[serde(rename = "_id")]
    id: AccountId,
    username: String,
    username_key: String,
    email: String,
    email_key: String,
    display_name: String,
    role: String,
    created_at: DateTime,
    kdf: KdfDoc,
    password_wrap: Binary,
    recovery_wrap: Binary,
    digest_wrap: Binary,
    public_key: Binary,
    secret_wrap: Binary,
    mk_generation: u32,
    // Absent in what an older version wrote: as old as the account, then.
    #[serde(default)]
    password_set_at: Option<DateTime>,
    #[serde(default)]
    recovery_made_at: Option<DateTime>,
    #[serde(default)]
    recovery_proven_at: Option<DateTime>,
    #[serde(default)]
    retired_wrap: Option<Binary>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct KdfDoc {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Binary,
    pepper_id: u32,
}

impl AccountDoc {
    pub(super) fn new(row: &AccountRow, role: Role, revision: u64) -> Self {
        Self {
            id: row.id,
            username: row.username.clone(),
            username_key: row.username_key.clone(),
            email: row.email.clone(),
            email_key: row.email_key.clone(),
            display_name: row.display_name.clone(),
            role: role.name().into(),
            created_at: date(row.created_at),
            kdf: KdfDoc {
                memory_kib: row.kdf.memory_kib,
                passes: row.kdf.passes,
                lanes: row.kdf.lanes,
                salt: binary(&row.kdf.salt),
                pepper_id: row.kdf.pepper_id,
            },
            password_wrap: binary(&row.password_wrap),
            recovery_wrap: binary(&row.recovery_wrap),
            digest_wrap: binary(&row.digest_wrap),
            public_key: binary(&row.public_key),
            secret_wrap: binary(&row.secret_wrap),
            mk_generation: row.mk_generation,
            password_set_at: Some(date(row.password_set_at)),
            recovery_made_at: Some(date(row.recovery_made_at)),
            recovery_proven_at: row.recovery_proven_at.map(date),
            retired_wrap: row.retired_wrap.as_deref().map(binary),
            revision,
        }
    }
}

impl TryFrom<AccountDoc> for AccountRow {
    type Error = StoreError;

    fn try_from(doc: AccountDoc) -> Result<Self> {
        Ok(Self {
            id: doc.id,
            username: doc.username,
            username_key: doc.username_key,
            email: doc.email,
            email_key: doc.email_key,
            display_name: doc.display_name,
            role: Role::named(&doc.role)
                .ok_or_else(|| StoreError::Damaged("an account has an unknown role".into()))?,
            created_at: time(doc.created_at)?,
            kdf: KdfRow {
                memory_kib: doc.kdf.memory_kib,
                passes: doc.kdf.passes,
                lanes: doc.kdf.lanes,
                salt: array(&doc.kdf.salt)?,
                pepper_id: doc.kdf.pepper_id,
            },
            password_wrap: doc.password_wrap.bytes,
            recovery_wrap: doc.recovery_wrap.bytes,
            digest_wrap: doc.digest_wrap.bytes,
            public_key: array(&doc.public_key)?,
            secret_wrap: doc.secret_wrap.bytes,
            mk_generation: doc.mk_generation,
            password_set_at: time(doc.password_set_at.unwrap_or(doc.created_at))?,
            recovery_made_at: time(doc.recovery_made_at.unwrap_or(doc.created_at))?,
            recovery_proven_at: doc.recovery_proven_at.map(time).transpose()?,
            retired_wrap: doc.retired_wrap.map(|wrap| wrap.bytes),
            revision: doc.revision,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionDoc {
    #[serde(rename = "_id")]
    digest: Binary,
    account: AccountId,
    master_wrap: Binary,
    created_at: DateTime,
    last_seen_at: DateTime,
    // An older process may still write sessions without these two.
    #[serde(default)]
    idle_at: Option<DateTime>,
    expires_at: DateTime,
    label: String,
    #[serde(default)]
    address: String,
    // A sign-in has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<u8>,
    // Before there were rotations, all were of the first.
    #[serde(default = "first")]
    mk_generation: u32,
}

fn first() -> u32 {
    1
}

/// How long an older version let a session be idle by default.
const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

impl From<&SessionRow> for SessionDoc {
    fn from(row: &SessionRow) -> Self {
        Self {
            digest: binary(&row.digest),
            account: row.account,
            master_wrap: binary(&row.master_wrap),
            created_at: date(row.created_at),
            last_seen_at: date(row.last_seen_at),
            idle_at: Some(date(row.idle_at)),
            expires_at: date(row.expires_at),
            label: row.label.clone(),
            address: row.address.clone(),
            scopes: row.scopes,
            mk_generation: row.mk_generation,
        }
    }
}

impl TryFrom<SessionDoc> for SessionRow {
    type Error = StoreError;

    fn try_from(doc: SessionDoc) -> Result<Self> {
        Ok(Self {
            digest: array(&doc.digest)?,
            account: doc.account,
            master_wrap: doc.master_wrap.bytes,
            created_at: time(doc.created_at)?,
            last_seen_at: time(doc.last_seen_at)?,
            idle_at: match doc.idle_at {
                Some(at) => time(at)?,
                None => time(doc.last_seen_at)? + HALF_AN_HOUR,
            },
            expires_at: time(doc.expires_at)?,
            label: doc.label,
            address: doc.address,
            scopes: doc.scopes,
            mk_generation: doc.mk_generation,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EventDoc {
    #[serde(rename = "_id")]
    id: EventId,
    account: AccountId,
    at: DateTime,
    kind: String,
    device: String,
    address: String,
}

impl From<&EventRow> for EventDoc {
    fn from(row: &EventRow) -> Self {
        Self {
            id: row.id,
            account: row.account,
            at: date(row.at),
            kind: row.kind.name().into(),
            device: row.device.clone(),
            address: row.address.clone(),
        }
    }
}

impl TryFrom<EventDoc> for EventRow {
    type Error = StoreError;

    fn try_from(doc: EventDoc) -> Result<Self> {
        Ok(Self {
            id: doc.id,
            account: doc.account,
            at: time(doc.at)?,
            kind: EventKind::named(&doc.kind)
                .ok_or_else(|| StoreError::Damaged("an event has an unknown kind".into()))?,
            device: doc.device,
            address: doc.address,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DepartedDoc {
    #[serde(rename = "_id")]
    account: AccountId,
    at: DateTime,
}

impl DepartedDoc {
    pub(super) fn into_row(self) -> Result<(AccountId, Timestamp)> {
        Ok((self.account, time(self.at)?))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct InvitationDoc {
    #[serde(rename = "_id")]
    digest: Binary,
    created_at: DateTime,
    expires_at: DateTime,
}

impl From<&InvitationRow> for InvitationDoc {
    fn from(row: &InvitationRow) -> Self {
        Self {
            digest: binary(&row.digest),
            created_at: date(row.created_at),
            expires_at: date(row.expires_at),
        }
    }
}

impl TryFrom<InvitationDoc> for InvitationRow {
    type Error = StoreError;

    fn try_from(doc: InvitationDoc) -> Result<Self> {
        Ok(Self {
            digest: array(&doc.digest)?,
            created_at: time(doc.created_at)?,
            expires_at: time(doc.expires_at)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TriesDoc {
    #[serde(rename = "_id")]
    key: Binary,
    count: u32,
    last_at: DateTime,
}

impl TriesDoc {
    pub(super) fn new(key: &[u8; 32], row: TriesRow) -> Self {
        Self {
            key: binary(key),
            count: row.count,
            last_at: date(row.last_at),
        }
    }
}

impl TryFrom<TriesDoc> for TriesRow {
    type Error = StoreError;

    fn try_from(doc: TriesDoc) -> Result<Self> {
        Ok(Self {
            count: doc.count,
            last_at: time(doc.last_at)?,
        })
    }
}
