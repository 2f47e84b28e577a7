//! Fills an account with pictures that exist on paper only: rows with sealed records, as uploads
//! leave them, but no blob behind them. For tests that need a hundred thousand pictures and look at
//! none; no part of the product.
//!
//! `seed_records <embedded | mongodb://…> <data-dir> <user> <password> <count>`, beside a running
//! server or without one. The pictures are the same on every run: `IMG_000000.jpg` and so on, taken
//! over twelve years, most of them on few days. Keys and salts are drawn afresh.

use std::error::Error;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use futures_util::{StreamExt, stream};
use image_vault::crypto::{self, BlobContext, BlobRole, DataKey, DigestKey, InstanceSecret};
use image_vault::crypto::{KdfParams, MasterKey, PasswordHashing, WrapContext};
use image_vault::crypto::{WrapKind, WrappedKey};
use image_vault::ids::{BlobId, ImageId};
use image_vault::store::{self, AccountRow, Bearer, BlobRef, ImageRow, Quota};
use image_vault::store::{SessionRow, StoreChoice};
use image_vault::vault::Metadata;
use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Span};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rows on their way at once: several cores seal them, SQLite takes them one at a time. On MongoDB
/// more only meet each other, as all count up the same account's sequence.
const AT_ONCE: usize = 64;
const AT_ONCE_ON_MONGODB: usize = 2;
const CAMERAS: [Option<&str>; 4] = [Some("Canon EOS R6"), Some("Pixel 7"), Some("X-T4"), None];
const TAGS: [&[&str]; 4] = [&["holiday"], &["Grüße", "family"], &["夏"], &[]];

#[tokio::main]
async fn main() -> Outcome<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [store, dir, user, password, count] = given.as_slice() else {
        return Err("usage: seed_records <store> <data-dir> <user> <password> <count>".into());
    };
    let (store, at_once) = match store.as_str() {
        "embedded" => (StoreChoice::Embedded { dir: dir.into() }, AT_ONCE),
        uri => (StoreChoice::Mongodb { uri: uri.into() }, AT_ONCE_ON_MONGODB),
    };
    let records = store::open(&store).await?.records;
    let account = records
        .account_by_login(user)
        .await?
        .ok_or("no such account")?;
    let seeder = Arc::new(Seeder::new(account, password, dir)?);
    let session = seeder.session();
    records.insert_session(&session).await?;
    let by = Bearer {
        session: session.digest,
        now: session.created_at,
    };
    let rows = stream::iter(0..count.parse()?).map(|number| {
        let (seeder, records) = (seeder.clone(), records.clone());
        tokio::spawn(async move {
            let row = seeder.row(number)?;
            Outcome::Ok(records.insert_image(&row, &by, &Quota::NONE).await?)
        })
    });
    let mut done = rows.buffer_unordered(at_once);
    while let Some(inserted) = done.next().await {
        inserted??;
    }
    records.delete_session(&session.digest).await?;
    Ok(())
}

/// What every row is made with.
struct Seeder {
    account: AccountRow,
    master: MasterKey,
    digests: DigestKey,
    placeholders: Vec<Vec<u8>>,
}

impl Seeder {
    fn new(account: AccountRow, password: &str, dir: &str) -> Outcome<Self> {
        let secret = std::fs::read_to_string(format!("{dir}/instance.key"))?;
        let secret = BASE64.decode(secret.trim().as_bytes())?;
        let secret = InstanceSecret::from_bytes(secret.as_slice().try_into()?);
        let kdf = &account.kdf;
        let params = KdfParams {
            memory_kib: kdf.memory_kib,
            passes: kdf.passes,
            lanes: kdf.lanes,
        };
        let hashing = PasswordHashing {
            params,
            salt: kdf.salt,
            pepper_id: kdf.pepper_id,
        };
        let key = hashing.derive(password.as_bytes(), &secret.pepper())?;
        let (id, params) = (*account.id.as_bytes(), hashing.associated_data());
        let master: MasterKey = WrappedKey::from_slice(&account.password_wrap)?
            .unwrap(&key, &bound(WrapKind::Password, id, id, &params))?;
        let digests = WrappedKey::from_slice(&account.digest_wrap)?
            .unwrap(&master, &bound(WrapKind::DigestKey, id, id, &[]))?;
        Ok(Self {
            account,
            master,
            digests,
            placeholders: (0..256).step_by(10).map(placeholder).collect(),
        })
    }

    /// What the rows come by. Nobody has its secret, so it opens nothing.
    fn session(&self) -> SessionRow {
        let now = jiff::Timestamp::now();
        let end = now + SignedDuration::from_hours(1);
        SessionRow {
            digest: rand::random(),
            account: self.account.id,
            master_wrap: Vec::new(),
            mk_generation: self.account.mk_generation,
            created_at: now,
            last_seen_at: now,
            idle_at: end,
            expires_at: end,
            label: "seed_records".into(),
            address: String::new(),
            scopes: None,
        }
    }

    fn row(&self, number: u64) -> Outcome<ImageRow> {
        let account = self.account.id;
        let sha256 = crypto::sha256(&[account.as_bytes(), &number.to_be_bytes()[..]].concat());
        let id = ImageId::from_bytes(sha256[..16].try_into()?);
        let (owner, image) = (*account.as_bytes(), *id.as_bytes());
        let key = DataKey::generate()?;
        let wrap = bound(WrapKind::ImageKey, owner, image, &[]);
        let key_wrap = WrappedKey::wrap(&self.master, &key, &wrap)?;
        let role = BlobRole::Metadata;
        let context = BlobContext { owner, image, role };
        // Through the product's own type, so that what it could not read is noticed here.
        let metadata: Metadata = serde_json::from_value(self.metadata(number, &sha256))?;
        let json = serde_json::to_vec(&metadata)?;
        let taken_at = metadata.taken_at().ok_or("every picture was taken")?;
        Ok(ImageRow {
            id,
            account,
            seq: 0,
            revision: 0,
            uploaded_at: taken_at + SignedDuration::from_hours(12),
            trashed_at: None,
            digest: self.digests.digest(&sha256),
            key_wrap: key_wrap.as_bytes().to_vec(),
            mk_generation: self.account.mk_generation,
            metadata: crypto::seal(&key.role_key(role), &context, &json)?,
            original: nowhere(metadata.size)?,
            thumbnail: nowhere(12_000)?,
            preview: None,
        })
    }

    /// The record in the form that `docs/CRYPTO.md` lists.
    fn metadata(&self, number: u64, sha256: &[u8; 32]) -> serde_json::Value {
        let chance = &mut StdRng::seed_from_u64(number);
        let taken = taken_local(chance);
        let (width, height) = shape(taken, chance);
        json!({
            "version": 1,
            "name": format!("IMG_{number:06}.jpg"),
            "content_type": "image/jpeg",
            "size": width * height / 5 + chance.random_range(0..2_000_000),
            "width": width,
            "height": height,
            "sha256": HEXLOWER.encode(sha256),
            "crc32": chance.random::<u32>(),
            "taken_local": taken.to_string(),
            "taken_offset": chance.random_bool(0.3).then_some(3_600),
            "camera": CAMERAS.choose(chance),
            "tags": TAGS.choose(chance),
            "favourite": chance.random_bool(0.05),
            "thumbhash": self.placeholders.choose(chance),
        })
    }
}

/// A third on 80 great days, most of the rest on 700 others, a few on any day.
fn taken_local(chance: &mut StdRng) -> DateTime {
    let day = match chance.random_range(0..100) {
        0..35 => chance.random_range(0..80) * 54,
        35..95 => chance.random_range(0..700) * 6 + 1,
        _ => chance.random_range(0..12 * 365),
    };
    let second = chance.random_range(0..12 * 3_600);
    date(2014, 1, 1).at(8, 0, 0, 0) + Span::new().days(day).seconds(second)
}

/// Camera pictures both ways up, squares, panoramas. On the eighth of a month everything is a
/// narrow screenshot: a screen full of those holds the most pictures.
fn shape(taken: DateTime, chance: &mut StdRng) -> (u64, u64) {
    match chance.random_range(0..100) {
        _ if taken.day() == 8 => (1_080, 2_400),
        0..62 => (6_000, 4_000),
        62..86 => (3_024, 4_032),
        86..92 => (2_048, 2_048),
        92..97 => (1_080, 2_400),
        _ => (12_000, 2_600),
    }
}

/// The ThumbHash of a gradient.
fn placeholder(blue: usize) -> Vec<u8> {
    let pixel = |at: usize| [at % 24 * 10, at / 24 * 15, blue, 255].map(|colour| colour as u8);
    let pixels: Vec<u8> = (0..24 * 16).flat_map(pixel).collect();
    thumbhash::rgba_to_thumb_hash(24, 16, &pixels)
}

/// A blob that nobody wrote.
fn nowhere(plain_len: u64) -> Outcome<BlobRef> {
    let (id, len) = (crypto::random()?, crypto::sealed_len(plain_len));
    let id = BlobId::from_bytes(id);
    Ok(BlobRef { id, len })
}

fn bound(kind: WrapKind, owner: [u8; 16], subject: [u8; 16], params: &[u8]) -> WrapContext<'_> {
    WrapContext {
        kind,
        owner,
        subject,
        params,
    }
}
