//! The write-ahead log of the embedded store: what a change makes useless is in no file of it any
//! more, at once for secrets and within seconds for the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use image_vault::ids::AccountId;
use image_vault::store::{
    self, AccountRow, Admission, FactorRow, ImageRow, InvitationRow, KeyRow, Quota, SessionRow,
    Store, StoreChoice, StoreError, Updated,
};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use crate::factors::{factor, pending};
use crate::samples::{self, SignedIn as _, at, image, session};

/// What a batch takes is a second. Nothing is proved by how long it takes on a machine with other
/// things to do: only a failure waits so long.
const SOON: Duration = Duration::from_secs(60);

/// An embedded store, and its files looked at from outside.
struct Kept {
    store: Store,
    dir: TempDir,
}

impl Kept {
    async fn new() -> Self {
        let dir = tempdir().unwrap();
        let choice = StoreChoice::Embedded {
            dir: dir.path().to_owned(),
        };
        let store = store::open(&choice).await.unwrap();
        Self { store, dir }
    }

    /// With an account whose wraps are all different, as it is stored.
    async fn with_account() -> (Self, AccountRow) {
        let kept = Self::new().await;
        let row = AccountRow {
            password_wrap: wrap(),
            recovery_wrap: wrap(),
            digest_wrap: wrap(),
            secret_wrap: wrap(),
            retired_wrap: Some(wrap()),
            ..samples::account("ada")
        };
        let records = &kept.store.records;
        records
            .insert_account(&row, &Admission::Anyone)
            .await
            .unwrap();
        for wrap in [&row.password_wrap, &row.recovery_wrap] {
            assert!(kept.holds(wrap), "the test looks in the wrong place");
        }
        let row = kept.account(&row.id).await;
        (kept, row)
    }

    async fn account(&self, id: &AccountId) -> AccountRow {
        self.store.records.account(id).await.unwrap().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Whether the bytes are anywhere in the database or its log.
    fn holds(&self, bytes: &[u8]) -> bool {
        ["vault.db", "vault.db-wal"]
            .iter()
            .any(|name| contains(&self.file(name), bytes))
    }

    /// Waits until the bytes are gone, and fails where that is not soon.
    #[track_caller]
    fn expect_gone_soon(&self, bytes: &[u8]) {
        let begun = Instant::now();
        while self.holds(bytes) {
            assert!(begun.elapsed() < SOON, "it is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log_len(&self) -> u64 {
        fs::metadata(self.file("vault.db-wal")).map_or(0, |log| log.len())
    }

    /// A read of another process that goes on, and sees the database as it is now.
    fn reader_elsewhere(&self) -> Connection {
        let reader = Connection::open(self.file("vault.db")).unwrap();
        let begun = "BEGIN; SELECT count(*) FROM accounts";
        reader.execute_batch(begun).unwrap();
        reader
    }

    async fn with_session(&self, row: SessionRow) -> SessionRow {
        let row = SessionRow {
            master_wrap: wrap(),
            ..row
        };
        self.store.records.insert_session(&row).await.unwrap();
        row
    }

    async fn with_image(&self, account: AccountId) -> ImageRow {
        let row = ImageRow {
            key_wrap: wrap(),
            ..image(account)
        };
        let records = &self.store.records;
        records.insert_image(&row, &Quota::NONE).await.unwrap();
        row
    }

    async fn with_factor(&self, account: AccountId) -> FactorRow {
        let mut row = factor(account);
        row.authenticator.as_mut().unwrap().key_wrap = wrap();
        row.spare_codes.as_mut().unwrap().key_wrap = wrap();
        assert!(self.store.records.put_factor(&row).await.unwrap());
        row.revision += 1;
        row
    }
}

/// As long as a wrapped key, and found nowhere else.
fn wrap() -> Vec<u8> {
    [rand::random::<[u8; 32]>(); 4].concat()
}

fn app_wrap(row: &FactorRow) -> Vec<u8> {
    row.authenticator.as_ref().unwrap().key_wrap.clone()
}

fn contains(file: &Path, bytes: &[u8]) -> bool {
    let content = fs::read(file).unwrap_or_default();
    content.windows(bytes.len()).any(|window| window == bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_password_opens_no_file_once_a_new_one_is_set() {
    let (kept, old) = Kept::with_account().await;
    let new = AccountRow {
        password_wrap: wrap(),
        ..old.clone()
    };
    let records = &kept.store.records;
    let changed = records.replace_credentials(&new, None).await.unwrap();
    assert_eq!(changed, Updated::Done);
    assert!(!kept.holds(&old.password_wrap));
    assert!(contains(&kept.file("vault.db"), &new.password_wrap));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_recovery_code_opens_no_file_once_there_is_a_new_one() {
    let (kept, old) = Kept::with_account().await;
    let new = AccountRow {
        recovery_wrap: wrap(),
        ..old.clone()
    };
    let changed = kept.store.records.update_account(&new).await.unwrap();
    assert_eq!(changed, Updated::Done);
    assert!(!kept.holds(&old.recovery_wrap));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_recovery_replaces_is_in_no_file_once_it_is_done() {
    let (kept, old) = Kept::with_account().await;
    let app = app_wrap(&kept.with_factor(old.id).await);
    let new = AccountRow {
        password_wrap: wrap(),
        recovery_wrap: wrap(),
        ..old.clone()
    };
    let changed = kept.store.records.reset_credentials(&new).await.unwrap();
    assert_eq!(changed, Updated::Done);
    for gone in [&old.password_wrap, &old.recovery_wrap, &app] {
        assert!(!kept.holds(gone));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rotation_replaces_is_in_no_file_once_it_is_done() {
    let (kept, old) = Kept::with_account().await;
    let before = kept.with_factor(old.id).await;
    let signed_in = kept.with_session(session(old.id)).await;
    let picture = kept.with_image(old.id).await;
    let new = AccountRow {
        password_wrap: wrap(),
        recovery_wrap: wrap(),
        digest_wrap: wrap(),
        secret_wrap: wrap(),
        retired_wrap: Some(wrap()),
        mk_generation: old.mk_generation + 1,
        ..old.clone()
    };
    let mut factor = before.clone();
    factor.authenticator.as_mut().unwrap().key_wrap = wrap();
    let records = &kept.store.records;
    let begun = records.rotate_credentials(&new, &factor).await.unwrap();
    assert_eq!(begun, Updated::Done);
    let wraps = [&old.password_wrap, &old.recovery_wrap, &old.digest_wrap];
    let app = app_wrap(&before);
    for gone in wraps.into_iter().chain([&app, &signed_in.master_wrap]) {
        assert!(!kept.holds(gone));
    }

    let keys = [KeyRow {
        id: picture.id,
        key_wrap: wrap(),
    }];
    let replaced = records.replace_keys(&old.id, old.mk_generation, &keys);
    replaced.await.unwrap();
    let ended = AccountRow {
        retired_wrap: None,
        ..kept.account(&old.id).await
    };
    let changed = records.update_account(&ended).await.unwrap();
    assert_eq!(changed, Updated::Done);
    for gone in [&new.retired_wrap.unwrap(), &picture.key_wrap] {
        assert!(!kept.holds(gone));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factor_that_is_removed_is_in_no_file_any_more() {
    let (kept, owner) = Kept::with_account().await;
    let before = kept.with_factor(owner.id).await;
    let none = FactorRow {
        revision: before.revision,
        ..FactorRow::none(owner.id)
    };
    assert!(kept.store.records.put_factor(&none).await.unwrap());
    assert!(!kept.holds(&app_wrap(&before)));
    assert!(!kept.holds(&before.spare_codes.unwrap().key_wrap));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_deleted_is_in_no_file_any_more() {
    let (kept, owner) = Kept::with_account().await;
    let app = app_wrap(&kept.with_factor(owner.id).await);
    let signed_in = kept.with_session(session(owner.id)).await;
    let records = &kept.store.records;
    records.remove_account(&owner.id, at(9)).await.unwrap();
    for gone in [&owner.password_wrap, &app, &signed_in.master_wrap] {
        assert!(!kept.holds(gone));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_signed_out_is_soon_in_no_file() {
    let (kept, owner) = Kept::with_account().await;
    let sessions = [
        kept.with_session(session(owner.id)).await,
        kept.with_session(session(owner.id)).await,
        kept.with_session(session(owner.id)).await,
    ];
    let records = &kept.store.records;
    records.delete_session(&sessions[0].digest).await.unwrap();
    kept.expect_gone_soon(&sessions[0].master_wrap);
    let all_but = records.delete_sign_ins(&owner.id, &sessions[1].digest);
    assert_eq!(all_but.await.unwrap(), 1);
    kept.expect_gone_soon(&sessions[2].master_wrap);
    assert!(kept.holds(&sessions[1].master_wrap));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_is_soon_in_no_file() {
    let (kept, owner) = Kept::with_account().await;
    let token = kept.with_session(samples::api_token(owner.id, 3)).await;
    let records = &kept.store.records;
    records.delete_session(&token.digest).await.unwrap();
    kept.expect_gone_soon(&token.master_wrap);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_image_deleted_for_good_is_soon_in_no_file() {
    let (kept, owner) = Kept::with_account().await;
    let records = &kept.store.records;
    let [one, other] = [
        kept.with_image(owner.id).await,
        kept.with_image(owner.id).await,
    ];
    let removed = records.remove_images(&owner.id, &[one.id], at(9)).await;
    assert_eq!(removed.unwrap().len(), 1);
    kept.expect_gone_soon(&one.key_wrap);
    assert!(kept.holds(&other.key_wrap));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_or_spent_is_soon_in_no_file() {
    let kept = Kept::new().await;
    let records = &kept.store.records;
    let mut waits = pending(samples::account_id(), 100);
    waits.payload = wrap();
    records.insert_pending(&waits).await.unwrap();
    records.take_pending(&waits.digest, at(1)).await.unwrap();
    kept.expect_gone_soon(&waits.payload);

    let digest = rand::random();
    let link = InvitationRow {
        digest,
        created_at: at(0),
        expires_at: at(100),
    };
    records.insert_invitation(&link).await.unwrap();
    let admission = Admission::Invited { digest, now: at(1) };
    for name in ["founder", "invited"] {
        let row = samples::account(name);
        records.insert_account(&row, &admission).await.unwrap();
    }
    kept.expect_gone_soon(&digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_a_crash_has_left_is_folded_at_the_next_start() {
    let (kept, owner) = Kept::with_account().await;
    // Beside the store, so that it does not know.
    let wraps = [wrap(), wrap()];
    let other = Connection::open(kept.file("vault.db")).unwrap();
    for wrap in &wraps {
        let update = "UPDATE accounts SET password_wrap = ?1";
        other.execute(update, [wrap]).unwrap();
    }
    let crashed = tempdir().unwrap();
    for name in ["vault.db", "vault.db-wal"] {
        fs::copy(kept.file(name), crashed.path().join(name)).unwrap();
    }
    assert!(contains(&crashed.path().join("vault.db-wal"), &wraps[0]));
    let choice = StoreChoice::Embedded {
        dir: crashed.path().to_owned(),
    };
    let store = store::open(&choice).await.unwrap();
    let kept = Kept {
        store,
        dir: crashed,
    };
    kept.expect_gone_soon(&wraps[0]);
    assert_eq!(kept.account(&owner.id).await.password_wrap, wraps[1]);
}

/// Each page of the stream is a read of its own, so nobody who reads slowly holds the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_is_half_read_holds_nothing_up() {
    let (kept, old) = Kept::with_account().await;
    let records = &kept.store.records;
    for _ in 0..600 {
        kept.with_image(old.id).await;
    }
    let mut changes = records.changes_since(&old.id, 0).await.unwrap();
    changes.next().await.unwrap().unwrap();
    let new = AccountRow {
        password_wrap: wrap(),
        ..old.clone()
    };
    records.replace_credentials(&new, None).await.unwrap();
    assert!(!kept.holds(&old.password_wrap));
    let rest: Vec<_> = changes.collect().await;
    assert!(rest.len() == 599 && rest.iter().all(Result::is_ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stays_delays_a_new_password_and_no_more() {
    let (kept, old) = Kept::with_account().await;
    let reader = kept.reader_elsewhere();
    let new = AccountRow {
        password_wrap: wrap(),
        ..old.clone()
    };
    let records = &kept.store.records;
    let begun = Instant::now();
    let changed = records.replace_credentials(&new, None).await.unwrap();
    assert_eq!(changed, Updated::Done);
    assert!(begun.elapsed() < SOON, "{begun:?}");
    // Others write meanwhile, and the reader reads on what it saw.
    kept.with_session(session(old.id)).await;
    let seen: Vec<u8> = reader
        .query_row("SELECT password_wrap FROM accounts", (), |row| row.get(0))
        .unwrap();
    assert_eq!(seen, old.password_wrap);
    assert!(kept.holds(&old.password_wrap));
    // Once it is gone nobody has to write for the log to be folded.
    reader.execute_batch("COMMIT").unwrap();
    let gone = Instant::now();
    while kept.holds(&old.password_wrap) || kept.log_len() > 0 {
        assert!(gone.elapsed() < SOON);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_ends_in_time_is_waited_for() {
    let (kept, old) = Kept::with_account().await;
    let reader = kept.reader_elsewhere();
    let reading = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        reader.execute_batch("COMMIT").unwrap();
    });
    let records = &kept.store.records;
    records.remove_account(&old.id, at(9)).await.unwrap();
    assert!(!kept.holds(&old.password_wrap));
    reading.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_closed_leaves_no_log_and_takes_no_more() {
    let (kept, old) = Kept::with_account().await;
    let records = &kept.store.records;
    kept.with_image(old.id).await;
    assert!(kept.file("vault.db-wal").exists());
    for _ in 0..2 {
        records.close().await.unwrap();
    }
    assert!(!kept.file("vault.db-wal").exists());
    let refused = records.account(&old.id).await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))));
    let refused = records.remove_account(&old.id, at(9)).await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))));
    // The files are anybody's who opens them.
    let choice = StoreChoice::Embedded {
        dir: kept.dir.path().to_owned(),
    };
    let later = store::open(&choice).await.unwrap();
    assert!(later.records.account(&old.id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_many_read_and_write_the_log_is_folded_again_and_again() {
    let (kept, owner) = Kept::with_account().await;
    let over = Arc::new(AtomicBool::new(false));
    let mut busy = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, id, over) = (kept.store.clone(), owner.id, Arc::clone(&over));
        busy.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                store.records.account(&id).await.unwrap().unwrap();
            }
        });
    }
    let (store, id, ends) = (kept.store.clone(), owner.id, Arc::clone(&over));
    busy.spawn(async move {
        while !ends.load(Ordering::Relaxed) {
            let row = image(id);
            let inserted = store.records.insert_image(&row, &Quota::NONE);
            inserted.await.unwrap();
        }
    });
    let (mut folds, mut before, begun) = (0, 0, Instant::now());
    while folds < 3 {
        assert!(begun.elapsed() < SOON, "{folds} folds");
        let len = kept.log_len();
        folds += u32::from(len < before);
        before = len;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    over.store(true, Ordering::Relaxed);
    while let Some(done) = busy.join_next().await {
        done.unwrap();
    }
}
