//! Replacing the master key, for somebody who fears that the old one is known: by a stolen sign-in
//! together with a copy of the store, say.
//!
//! One transaction makes the new key the account's: it is wrapped by the password and by a new
//! recovery code, it wraps the *retired* one, and all sign-ins and tokens end. From then on new
//! pictures are under the new key; the keys of the others are re-wrapped in the background, and
//! until then the retired key opens them. No picture is touched, and a crash anywhere leaves all of
//! them readable: the next sign-in goes on with the keys that are left.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::credentials::{MOST_RACES, won_race};
use crate::crypto::{AccountSecret, DigestKey, MasterKey, WrapKind};
use crate::ids::AccountId;
use crate::store::{AccountRow, EventKind, FactorRow, Kept, KeyRow};
use crate::vault::error::{Result, VaultError};
use crate::vault::keys::Keyring;
use crate::vault::{Caller, Opened, Proof, Unlocked, Vault, keys, reseal_factor};

/// Keys re-wrapped at a time.
const BATCH: u32 = 500;

/// A pass that could not be finished is tried again after this long, by a request of its owner.
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The re-wrapping passes of this process.
#[derive(Default)]
pub(in crate::vault) struct Passes(Mutex<HashMap<AccountId, Pass>>);

#[derive(Clone, Copy, PartialEq)]
enum Pass {
    Running,
    /// When the last pass failed.
    Failed(Timestamp),
}

impl Passes {
    /// Whether a pass of the account is to begin now; if so, it is noted as running.
    fn begin(&self, account: AccountId, now: Timestamp) -> bool {
        let mut passes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passes.retain(|_, pass| match pass {
            Pass::Running => true,
            Pass::Failed(at) => *at + TRY_AGAIN_AFTER > now,
        });
        match passes.entry(account) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(Pass::Running);
                true
            }
        }
    }

    fn end(&self, account: &AccountId, failed: Option<Timestamp>) {
        let mut passes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(at) => drop(passes.insert(*account, Pass::Failed(at))),
            None => drop(passes.remove(account)),
        }
    }
}

/// How a pass ended.
enum Passed {
    /// No key is left, and the retired master key is removed.
    Whole,
    /// The session that brought the keys has ended; the next one goes on.
    WithoutKeys,
    /// Some keys do not open.
    Damaged,
}

impl Vault {
    /// Replaces the master key and the recovery code, and ends every sign-in and token of the
    /// account: the caller gets a new sign-in by [`Vault::start_first_session`].
    ///
    /// # Errors
    /// [`VaultError::RotationUnderWay`] while keys of the last rotation are left, and as
    /// [`Vault::change_password`].
    pub async fn rotate_master_key(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<Opened> {
        let proven = self.prove(who, &proof, caller).await?;
        let retired = &proven.master;
        for _ in 0..MOST_RACES {
            let mut row = self.still_proven(&proven).await?;
            if row.retired_wrap.is_some() {
                let left = self.keys_left(&row).await?;
                return Err(VaultError::RotationUnderWay { left });
            }
            let master = MasterKey::generate()?;
            let recovery_code = self
                .put_under(&mut row, &proof.password, retired, &master)
                .await?;
            let records = &self.store().records;
            let factor = records.factor(&row.id).await?;
            let factor = factor.unwrap_or_else(|| FactorRow::none(row.id));
            let factor = reseal_factor(&factor, retired, &master)?;
            who.watch.resign();
            let rotated = records.rotate_credentials(&row, &factor).await?;
            if !won_race(rotated)? {
                continue;
            }
            row.revision += 1;
            tracing::info!(account = %row.id, "master key replaced");
            self.note(&row.id, EventKind::KeyRotated, caller).await;
            self.drop_tickets_beside(row.id);
            return Ok(Opened {
                account: row,
                recovery_code,
                master,
                lifetime: who.lifetime,
            });
        }
        Err(VaultError::Busy)
    }

    /// How many pictures wait for the new master key; `None` where no rotation is under way.
    ///
    /// # Errors
    /// The store's.
    pub async fn rotation_left(&self, who: &Unlocked) -> Result<Option<u64>> {
        match who.account.retired_wrap {
            Some(_) => self.keys_left(&who.account).await.map(Some),
            None => Ok(None),
        }
    }

    /// Goes on with an unfinished rotation, in the background of the request.
    pub(in crate::vault) fn go_on_rotating(&self, who: &Unlocked) {
        let (account, keyring, session) = (*who.id(), who.keyring.clone(), who.session);
        let Some(retired) = keyring.retired.clone() else {
            return;
        };
        if !self.0.passes.begin(account, self.now()) {
            return;
        }
        let vault = self.clone();
        tokio::spawn(async move {
            let passed = vault.re_wrap_all(&account, &keyring, &retired, &session);
            let failed = match passed.await {
                Ok(Passed::Whole | Passed::WithoutKeys) => None,
                Ok(Passed::Damaged) => Some(vault.now()),
                Err(error) => {
                    tracing::warn!(%account, %error, "a rotation was cut short");
                    Some(vault.now())
                }
            };
            vault.0.passes.end(&account, failed);
        });
    }

    /// Removes, in the background, the tickets of before: they open nothing any more. Where that
    /// fails they expire within a day.
    fn drop_tickets_beside(&self, account: AccountId) {
        let vault = self.clone();
        tokio::spawn(async move {
            if let Err(error) = vault.drop_tickets(&account, Kept::NOTHING).await {
                tracing::warn!(%account, %error, "tickets of zips were not removed");
            }
        });
    }

    /// Re-wraps all keys of the account's row by a new master key. Returns the new recovery code.
    async fn put_under(
        &self,
        row: &mut AccountRow,
        password: &str,
        retired: &MasterKey,
        master: &MasterKey,
    ) -> Result<Zeroizing<String>> {
        let (id, subject) = (row.id, *row.id.as_bytes());
        let hashing = self.0.passwords.fresh()?;
        let key = self.0.passwords.derive(password, &hashing).await?;
        row.password_wrap = keys::wrap_by_password(&id, &hashing, &key, master)?;
        row.kdf = keys::kdf_row(&hashing);
        let digest: DigestKey = keys::unwrap(
            WrapKind::DigestKey,
            &id,
            &subject,
            retired,
            &row.digest_wrap,
        )?;
        row.digest_wrap = keys::wrap(WrapKind::DigestKey, &id, &subject, master, &digest)?;
        let secret: AccountSecret = keys::unwrap(
            WrapKind::AccountSecret,
            &id,
            &subject,
            retired,
            &row.secret_wrap,
        )?;
        row.secret_wrap = keys::wrap(WrapKind::AccountSecret, &id, &subject, master, &secret)?;
        row.retired_wrap = Some(keys::wrap(
            WrapKind::RetiredMaster,
            &id,
            &subject,
            master,
            retired,
        )?);
        row.mk_generation += 1;
        self.wrap_recovery(row, master)
    }

    /// Re-wraps the data keys that are left, as long as the session that brought the keys lives.
    async fn re_wrap_all(
        &self,
        account: &AccountId,
        keyring: &Keyring,
        retired: &std::sync::Arc<MasterKey>,
        session: &[u8; 32],
    ) -> Result<Passed> {
        let records = &self.store().records;
        let before = keyring.generation - 1;
        let mut after = None;
        loop {
            if !self.is_live(session).await? {
                return Ok(Passed::WithoutKeys);
            }
            let rows = records.keys_of_generation(account, before, after.as_ref(), BATCH);
            let rows = rows.await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.id);
            let (id, retired, master) = (*account, retired.clone(), keyring.master.clone());
            let re_wrap = move || {
                let one = |row| re_wrapped(&id, row, &retired, &master);
                rows.into_iter().filter_map(one).collect::<Vec<KeyRow>>()
            };
            let fresh = tokio::task::spawn_blocking(re_wrap).await?;
            records.replace_keys(account, before, &fresh).await?;
        }
        self.forget_retired(account, keyring.generation).await
    }

    /// Removes the retired key, which opens nothing any more. Where a data key could not be
    /// re-wrapped, the retired key stays: the image's row may be mended from a backup.
    async fn forget_retired(&self, account: &AccountId, generation: u32) -> Result<Passed> {
        let records = &self.store().records;
        for _ in 0..MOST_RACES {
            let Some(mut row) = records.account(account).await? else {
                return Ok(Passed::Whole);
            };
            if row.mk_generation != generation || row.retired_wrap.is_none() {
                return Ok(Passed::Whole);
            }
            if self.keys_left(&row).await? > 0 {
                return Ok(Passed::Damaged);
            }
            row.retired_wrap = None;
            if won_race(records.update_account(&row).await?)? {
                tracing::info!(%account, "the rotation of a master key is finished");
                return Ok(Passed::Whole);
            }
        }
        Err(VaultError::Busy)
    }

    async fn keys_left(&self, row: &AccountRow) -> Result<u64> {
        let records = &self.store().records;
        let before = row.mk_generation.saturating_sub(1);
        Ok(records.count_keys_of_generation(&row.id, before).await?)
    }
}

/// The data key wrapped by the new master key; `None` where the retired one does not open it.
fn re_wrapped(
    account: &AccountId,
    row: KeyRow,
    retired: &MasterKey,
    master: &MasterKey,
) -> Option<KeyRow> {
    let wrapped = keys::data_key(retired, account, &row.id, &row.key_wrap)
        .and_then(|key| keys::wrap_data_key(master, account, &row.id, &key));
    match wrapped {
        Ok(key_wrap) => Some(KeyRow {
            id: row.id,
            key_wrap,
        }),
        Err(error) => {
            tracing::error!(image = %row.id, %error, "an image's key could not be re-wrapped");
            None
        }
    }
}
