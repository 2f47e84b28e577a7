//! What time does to a vault, on both stores: the clock is the test's own.
//!
//! The MongoDB half needs `IMAGE_VAULT_TEST_MONGODB`; without it, it says that it was left out, and
//! with `IMAGE_VAULT_TEST_ALL=1` it fails.
#![allow(
    clippy::unwrap_used,
    reason = "a test's steps fail by panicking; clippy knows test functions only"
)]

#[path = "vault/authority.rs"]
mod authority;
#[path = "vault/catalogue.rs"]
mod catalogue;
#[path = "vault/forged.rs"]
mod forged;
#[path = "vault/lookalikes.rs"]
mod lookalikes;
#[path = "vault/rotation.rs"]
mod rotation;
#[path = "vault/second_factor.rs"]
mod second_factor;
#[path = "vault/trust.rs"]
mod trust;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use image_vault::config::Config;
use image_vault::crypto::InstanceSecret;
use image_vault::ids::{BlobId, ImageId};
use image_vault::store::{
    self, Bearer, ImageRow, ImageState, Inserted, Quota, SessionRow, Store, StoreChoice,
};
use image_vault::vault::{
    Added, Caller, Filter, ListRequest, NewAccount, Proof, Removal, Selection, SignIn, Unlocked,
    Vault, VaultError,
};
use jiff::{SignedDuration, Timestamp};
use second_factor::{
    a_clock_that_goes_back_brings_no_code_back, a_waiting_sign_in_ends_after_five_minutes,
    an_app_can_be_confirmed_for_half_an_hour, an_ended_sign_in_sets_no_factor_up,
    codes_outlive_a_new_master_key, codes_work_once_on_all_processes,
};

use authority::{
    a_stream_gives_nothing_of_what_it_has_read_once_its_session_has_ended,
    each_step_of_a_bulk_change_looks_whether_its_session_has_ended,
    who_ends_their_own_session_may_finish_and_what_runs_beside_may_not,
};
use catalogue::however_much_is_new_a_list_is_whole_and_without_what_is_gone;
use forged::{
    a_password_hash_made_cheap_in_its_row_opens_nothing,
    a_session_copied_to_another_account_opens_nothing, a_token_ends_on_its_day,
    a_token_whose_row_allows_more_than_was_chosen_opens_nothing,
};
use lookalikes::names_from_before_that_look_alike_go_on_and_no_new_one_joins_them;
use rotation::{
    a_key_that_does_not_open_holds_up_no_other,
    a_new_master_key_opens_all_pictures_before_and_after_they_are_re_wrapped,
    an_upload_that_a_rotation_overtakes_is_refused_and_leaves_nothing,
};
use trust::{
    a_new_device_is_told_once_and_again_after_months, an_export_waits_for_memory_as_an_upload_does,
    of_two_new_passwords_at_once_one_opens_the_account,
};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// A vault whose clock can be put forward.
struct Fixture {
    vault: Vault,
    store: Store,
    ahead_secs: Arc<AtomicI64>,
}

impl Fixture {
    async fn on(choice: &StoreChoice) -> Self {
        let store = store::open(choice).await.unwrap();
        let ahead_secs = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead_secs);
        let now =
            move || Timestamp::now() + SignedDuration::from_secs(clock.load(Ordering::Relaxed));
        let secret = InstanceSecret::from_bytes([7; 32]);
        let mut config = Config::default();
        (config.passwords.memory_kib, config.passwords.passes) = (19 << 10, 2);
        let vault = Vault::open(store.clone(), &config, &secret, Arc::new(now))
            .await
            .unwrap();
        Self {
            vault,
            store,
            ahead_secs,
        }
    }

    /// One round of upkeep, of which no piece fails: what each did.
    async fn upkeep(&self) -> BTreeMap<&'static str, u64> {
        let swept = self.vault.upkeep().await;
        assert!(swept.failed.is_empty(), "{:?}", swept.failed);
        swept.done
    }

    fn wait(&self, secs: i64) {
        self.ahead_secs.fetch_add(secs, Ordering::Relaxed);
    }

    async fn person(&self) -> (Unlocked, String) {
        let new = NewAccount {
            username: "ada".into(),
            email: "ada@example.org".into(),
            password: "correct horse battery staple".to_owned().into(),
            display_name: None,
            invitation: None,
        };
        let registered = self.vault.register(new, &here()).await.unwrap();
        let started = self
            .vault
            .start_first_session(registered, &here())
            .await
            .unwrap();
        (
            self.vault.unlock(&started.token).await.unwrap(),
            started.token.to_string(),
        )
    }

    /// The same person once more.
    async fn sign_in(&self) -> Unlocked {
        let sign_in = SignIn {
            login: "ada".into(),
            password: "correct horse battery staple".to_owned().into(),
            code: None,
            keep: false,
        };
        let started = self.vault.sign_in(sign_in, &here()).await.unwrap();
        self.vault.unlock(&started.token).await.unwrap()
    }

    fn picture(seed: u8) -> Bytes {
        let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([seed, 2, 3]));
        let mut file = Cursor::new(Vec::new());
        picture
            .write_to(&mut file, image::ImageFormat::Png)
            .unwrap();
        Bytes::from(file.into_inner())
    }

    async fn add(&self, who: &Unlocked, seed: u8) -> image_vault::ids::ImageId {
        let name = format!("{seed}.png");
        let added = self.vault.add_image(who, &name, Self::picture(seed)).await;
        match added.unwrap() {
            Added::New(image) => image.id,
            Added::Duplicate(_) => panic!("each seed is a picture of its own"),
        }
    }

    /// Stores a row as it is, by a session of its own, which ends with that.
    async fn insert(&self, row: &ImageRow) -> Inserted {
        let now =
            Timestamp::now() + SignedDuration::from_secs(self.ahead_secs.load(Ordering::Relaxed));
        let session = SessionRow {
            digest: rand::random(),
            account: row.account,
            master_wrap: Vec::new(),
            mk_generation: row.mk_generation,
            created_at: now,
            last_seen_at: now,
            idle_at: now + SignedDuration::from_secs(HOUR),
            expires_at: now + SignedDuration::from_secs(HOUR),
            label: String::new(),
            address: String::new(),
            scopes: None,
        };
        let records = &self.store.records;
        records.insert_session(&session).await.unwrap();
        let by = Bearer {
            session: session.digest,
            now,
        };
        let inserted = records.insert_image(row, &by, &Quota::NONE).await.unwrap();
        records.delete_session(&session.digest).await.unwrap();
        inserted
    }

    async fn count(&self, who: &Unlocked, state: ImageState) -> usize {
        let filter = Filter {
            state: Some(state),
            ..Filter::default()
        };
        let request = ListRequest {
            filter,
            ..ListRequest::default()
        };
        self.vault.list(who, request).await.unwrap().total
    }
}

/// Who calls in these tests.
fn here() -> Caller {
    Caller {
        device: "test".into(),
        address: Some([192, 0, 2, 1].into()),
    }
}

async fn what_comes_in_while_an_account_goes_is_removed_by_upkeep(fixture: &Fixture) {
    let (who, token) = fixture.person().await;
    let first = fixture.add(&who, 1).await;
    let records = &fixture.store.records;
    let mut row = records.image(who.id(), &first).await.unwrap().unwrap();
    let password = "correct horse battery staple".to_owned();
    let deleted = fixture
        .vault
        .delete_account(&who, Proof::new(password.into(), None), &here())
        .await;
    deleted.unwrap();
    assert!(fixture.vault.unlock(&token).await.is_err());
    // An upload that had been let in before is refused; an older server beside this one would take it.
    let late = fixture.vault.add_image(&who, "2.png", Fixture::picture(2));
    assert!(matches!(late.await, Err(VaultError::Unauthenticated)));
    let late = ImageId::from_bytes([9; 16]);
    (row.id, row.digest) = (late, [9; 32]);
    row.original.id = BlobId::from_bytes([9; 16]);
    let bytes = Box::new(std::iter::once(Bytes::from_static(b"sealed")));
    let blobs = &fixture.store.blobs;
    blobs.put(&row.original.id, bytes).await.unwrap();
    assert_eq!(fixture.insert(&row).await, Inserted::New);
    fixture.upkeep().await;
    assert_eq!(records.image(who.id(), &late).await.unwrap(), None);
    assert_eq!(records.sequence(who.id()).await.unwrap(), 0);
    let blob = fixture.store.blobs.read(&row.original.id, 0, None).await;
    assert!(blob.is_err(), "its bytes are left");
    let noted = || async { records.departed(later(), 5).await.unwrap().len() };
    assert_eq!(noted().await, 1);
    fixture.wait(2 * DAY);
    fixture.upkeep().await;
    assert_eq!(noted().await, 0, "its id is kept for ever");
}

fn later() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * 365)
}

async fn old_trash_goes_and_nothing_else(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let (kept, old, young) = (
        fixture.add(&who, 1).await,
        fixture.add(&who, 2).await,
        fixture.add(&who, 3).await,
    );
    fixture
        .vault
        .remove(&who, &old, Removal::OneStep)
        .await
        .unwrap();
    fixture.wait(29 * DAY);
    fixture
        .vault
        .remove(&who, &young, Removal::OneStep)
        .await
        .unwrap();
    assert_eq!(fixture.upkeep().await.get("trash"), None);
    fixture.wait(2 * DAY);
    assert_eq!(fixture.upkeep().await["trash"], 1);
    assert_eq!(fixture.count(&who, ImageState::Active).await, 1);
    assert_eq!(fixture.count(&who, ImageState::Trashed).await, 1);
    assert!(matches!(
        fixture.vault.open_image(&who, &old).await,
        Err(VaultError::NotFound)
    ));
    fixture.vault.open_image(&who, &young).await.unwrap();
    fixture.vault.thumbnail(&who, &kept).await.unwrap();
}

async fn blobs_without_a_row_are_swept_after_a_day_and_no_others(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let kept = fixture.add(&who, 1).await;
    fixture.vault.preview(&who, &kept).await.unwrap();
    let ticket = fixture
        .vault
        .create_archive(&who, Selection::All, None)
        .await
        .unwrap();
    let orphan = BlobId::from_bytes([9; 16]);
    let bytes = std::iter::once(Bytes::from_static(b"half an upload"));
    fixture
        .store
        .blobs
        .put(&orphan, Box::new(bytes))
        .await
        .unwrap();

    fixture.wait(23 * HOUR);
    assert_eq!(fixture.upkeep().await.get("blobs"), None);
    fixture
        .store
        .blobs
        .read(&orphan, 0, None)
        .await
        .map(drop)
        .unwrap();
    let who = fixture.sign_in().await;
    fixture
        .vault
        .open_archive(&who, &ticket.id)
        .await
        .map(drop)
        .unwrap();

    fixture.wait(2 * HOUR);
    let swept = fixture.upkeep().await;
    // The ticket has ended too, and its plan went with it.
    assert_eq!((swept["blobs"], swept["archives"]), (1, 1));
    assert!(fixture.store.blobs.read(&orphan, 0, None).await.is_err());
    let who = fixture.sign_in().await;
    let image = fixture.vault.open_image(&who, &kept).await.unwrap();
    let size = image.image.metadata.size;
    let parts: Vec<_> =
        futures_util::StreamExt::collect(fixture.vault.read_original(&image, 0..size)).await;
    let read: u64 = parts
        .into_iter()
        .map(|part: Result<Bytes, _>| part.unwrap().len() as u64)
        .sum();
    assert_eq!(read, size);
    fixture.vault.thumbnail(&who, &kept).await.unwrap();
    fixture.vault.preview(&who, &kept).await.unwrap();
}

async fn a_session_ends_when_idle_and_after_its_time(fixture: &Fixture) {
    let (_, token) = fixture.person().await;
    for _ in 0..23 {
        fixture.wait(29 * 60);
        fixture.vault.unlock(&token).await.map(drop).unwrap();
    }
    // In use all the time, and twelve hours old soon.
    fixture.wait(60 * 60);
    assert!(matches!(
        fixture.vault.unlock(&token).await,
        Err(VaultError::Unauthenticated)
    ));
    assert_eq!(fixture.upkeep().await["sessions"], 1);

    let sign_in = image_vault::vault::SignIn {
        login: "ADA@example.org".into(),
        password: "correct horse battery staple".to_owned().into(),
        code: None,
        keep: false,
    };
    let again = fixture.vault.sign_in(sign_in, &here()).await.unwrap();
    fixture.wait(31 * 60);
    let idle = fixture.vault.unlock(&again.token).await;
    assert!(matches!(idle, Err(VaultError::Unauthenticated)));
}

/// Where the rows of one noun cannot be removed, all the others are.
async fn a_piece_of_upkeep_that_fails_starves_no_other(fixture: &Fixture, choice: &StoreChoice) {
    fixture.person().await;
    let orphan = BlobId::from_bytes([9; 16]);
    let bytes = std::iter::once(Bytes::from_static(b"half an upload"));
    let put = fixture.store.blobs.put(&orphan, Box::new(bytes));
    put.await.unwrap();
    // From a view nothing is deleted.
    match choice {
        StoreChoice::Embedded { dir } => {
            let database = rusqlite::Connection::open(dir.join("vault.db")).unwrap();
            let view = "DROP TABLE invitations; CREATE VIEW invitations AS SELECT * FROM tries";
            database.execute_batch(view).unwrap();
        }
        StoreChoice::Mongodb { uri } => {
            let client = ::mongodb::Client::with_uri_str(uri).await.unwrap();
            let database = client.default_database().unwrap();
            let table = database.collection::<::mongodb::bson::Document>("invitations");
            table.drop().await.unwrap();
            let view = ::mongodb::bson::doc! {
                "create": "invitations", "viewOn": "tries", "pipeline": [],
            };
            database.run_command(view).await.unwrap();
        }
    }
    fixture.wait(25 * HOUR);
    let swept = fixture.vault.upkeep().await;
    assert_eq!(swept.failed, ["invitations"]);
    assert_eq!((swept.done["sessions"], swept.done["blobs"]), (1, 1));
}

/// A change that one process makes is seen by the next list of another.
async fn two_processes_on_one_store_agree(fixture: &Fixture, choice: &StoreChoice) {
    let (who, token) = fixture.person().await;
    let other = Fixture::on(choice).await;
    let there = other.vault.unlock(&token).await.unwrap();
    let image = fixture.add(&who, 1).await;
    assert_eq!(other.count(&there, ImageState::Active).await, 1);
    other
        .vault
        .remove(&there, &image, Removal::OneStep)
        .await
        .unwrap();
    assert_eq!(fixture.count(&who, ImageState::Active).await, 0);
    assert_eq!(fixture.count(&who, ImageState::Trashed).await, 1);
    fixture
        .vault
        .remove(&who, &image, Removal::ForGood)
        .await
        .unwrap();
    assert_eq!(other.count(&there, ImageState::Trashed).await, 0);
}

macro_rules! on_both_stores {
    ($($story:ident($($more:ident)?)),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let dir = tempfile::tempdir().unwrap();
                let choice = crate::StoreChoice::Embedded { dir: dir.path().join("data") };
                let fixture = crate::Fixture::on(&choice).await;
                super::$story(&fixture $(, { let $more = &choice; $more })?).await;
            })+
        }
        mod mongodb {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let Some((database, choice)) = crate::database(stringify!($story)).await else {
                    return;
                };
                let fixture = crate::Fixture::on(&choice).await;
                super::$story(&fixture $(, { let $more = &choice; $more })?).await;
                database.drop().await.unwrap();
            })+
        }
    };
}

on_both_stores!(
    old_trash_goes_and_nothing_else(),
    what_comes_in_while_an_account_goes_is_removed_by_upkeep(),
    blobs_without_a_row_are_swept_after_a_day_and_no_others(),
    a_session_ends_when_idle_and_after_its_time(),
    a_piece_of_upkeep_that_fails_starves_no_other(choice),
    two_processes_on_one_store_agree(choice),
    however_much_is_new_a_list_is_whole_and_without_what_is_gone(choice),
    a_session_copied_to_another_account_opens_nothing(),
    a_token_whose_row_allows_more_than_was_chosen_opens_nothing(),
    a_token_ends_on_its_day(),
    names_from_before_that_look_alike_go_on_and_no_new_one_joins_them(choice),
    a_password_hash_made_cheap_in_its_row_opens_nothing(),
    a_new_master_key_opens_all_pictures_before_and_after_they_are_re_wrapped(),
    an_upload_that_a_rotation_overtakes_is_refused_and_leaves_nothing(),
    a_key_that_does_not_open_holds_up_no_other(),
    each_step_of_a_bulk_change_looks_whether_its_session_has_ended(),
    a_stream_gives_nothing_of_what_it_has_read_once_its_session_has_ended(),
    who_ends_their_own_session_may_finish_and_what_runs_beside_may_not(),
    codes_work_once_on_all_processes(choice),
    codes_outlive_a_new_master_key(),
    an_ended_sign_in_sets_no_factor_up(),
    an_app_can_be_confirmed_for_half_an_hour(),
    a_waiting_sign_in_ends_after_five_minutes(),
    a_clock_that_goes_back_brings_no_code_back(),
    a_new_device_is_told_once_and_again_after_months(),
    of_two_new_passwords_at_once_one_opens_the_account(),
    an_export_waits_for_memory_as_an_upload_does(),
);

/// An empty database of MongoDB, where there is one to test on.
async fn database(story: &str) -> Option<(::mongodb::Database, StoreChoice)> {
    let Ok(uri) = std::env::var("IMAGE_VAULT_TEST_MONGODB") else {
        assert!(
            std::env::var_os("IMAGE_VAULT_TEST_ALL").is_none(),
            "IMAGE_VAULT_TEST_MONGODB is not set: run this by `scripts/mongod run -- cargo test`"
        );
        // Past the capture of the test's output, so that it is read.
        let line = format!("LEFT OUT: {story} on MongoDB: IMAGE_VAULT_TEST_MONGODB is not set\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let name = format!("vault_{}_{}", std::process::id(), &story[..12]);
    let (address, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let uri = format!("{}/{name}?{query}", address.trim_end_matches('/'));
    let client = ::mongodb::Client::with_uri_str(&uri).await.unwrap();
    Some((client.database(&name), StoreChoice::Mongodb { uri }))
}
