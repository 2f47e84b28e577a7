//! The SQLite file: its connections, its schema, and on which thread it is used.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex as BriefMutex;
use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::super::{Result, StoreError};
use super::log::{Log, Writer};
use super::{blocking, private};

/// Each brings the schema one version forward; `user_version` counts those that were applied.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_trust.sql"),
    include_str!("migrations/0003_coming_and_going.sql"),
    include_str!("migrations/0004_api_tokens.sql"),
    include_str!("migrations/0005_rotation.sql"),
    include_str!("migrations/0006_quotas.sql"),
    include_str!("migrations/0007_second_factor.sql"),
    include_str!("migrations/0008_oldest_ticket.sql"),
    include_str!("migrations/0009_all_that_is_kept.sql"),
    include_str!("migrations/0010_skeletons.sql"),
];

/// How many reads run at once. They never wait for a write (WAL).
const READERS: usize = 4;

/// How long one process waits for another's write.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// More than there are statements in this backend.
const STATEMENT_CACHE: usize = 128;

/// One connection that writes and a few that read. Cheap to clone.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) writer: Arc<Writer>,
    pub(super) readers: Arc<Readers>,
    pub(super) log: Arc<Log>,
}

impl Database {
    /// Opens the file, creating it or bringing its schema forward. Blocks, on a thread of the
    /// runtime.
    pub(super) fn open(path: &Path) -> Result<Self> {
        private::database(path)?;
        let mut writer = connect(path)?;
        // A power cut may not lose what was acknowledged, hence FULL; what was deleted may not
        // linger in free pages, above all wrapped keys, hence `secure_delete`.
        writer.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;",
        )?;
        migrate(&mut writer, MIGRATIONS)?;
        let idle = (0..READERS)
            .map(|_| {
                let reader = connect(path)?;
                reader.execute_batch("PRAGMA query_only = ON")?;
                Ok(reader)
            })
            .collect::<Result<Vec<_>>>()?;
        let writer = Arc::new(Mutex::new(Some(writer)));
        Ok(Self {
            log: Log::of(&writer),
            writer,
            readers: Arc::new(Readers {
                permits: Arc::new(Semaphore::new(READERS)),
                idle: BriefMutex::new(idle),
            }),
        })
    }

    /// Runs statements that change nothing. Each of them sees one state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reader = Readers::borrow(&self.readers).await?;
        blocking(move || match &reader.connection {
            Some(connection) => work(connection),
            None if reader.lender.permits.is_closed() => Err(closed()),
            None => Err(StoreError::Internal("a reader was lent twice".into())),
        })
        .await
    }

    /// Runs a transaction: all of `work` is kept, or, when it fails, nothing. One at a time, in the
    /// order of asking.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let log = Arc::clone(&self.log);
        blocking(move || {
            let writer = writer.as_mut().ok_or_else(closed)?;
            log.mark();
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = work(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        })
        .await
    }
}

/// The idle connections; a permit stands for each.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    idle: BriefMutex<Vec<Connection>>,
}

/// A connection on loan, given back on every way out, a panic included.
struct Loan {
    connection: Option<Connection>,
    lender: Arc<Readers>,
    // Dropped after the connection is back: the fields follow `Drop::drop`.
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    async fn borrow(readers: &Arc<Self>) -> Result<Loan> {
        let permit = Arc::clone(&readers.permits)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let connection = readers
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Ok(Loan {
            connection,
            lender: Arc::clone(readers),
            _permit: permit,
        })
    }

    /// Lends nothing from now on, and hands over what is not on loan.
    pub(super) fn close(&self) -> Vec<Connection> {
        self.permits.close();
        std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why nothing is read or written any more.
fn closed() -> StoreError {
    StoreError::Unavailable("it is closed, because the program ends".into())
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut idle = self
            .lender
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Closed meanwhile: dropped, SQLite removes its log with the last connection.
        if !self.lender.permits.is_closed() {
            idle.extend(self.connection.take());
        }
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    loop {
        // The version is read under the write lock: another process may be migrating as well.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: usize = transaction
            .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?
            as usize;
        if version > migrations.len() {
            return Err(StoreError::Incompatible(format!(
                "vault.db was written by a newer Image Vault (schema {version}, this program knows \
                 up to {}): start that one, or restore an older backup",
                migrations.len()
            )));
        }
        if version == 0 && !is_empty(&transaction)? {
            return Err(StoreError::Incompatible(
                "vault.db holds tables that Image Vault did not make: give it another data directory"
                    .into(),
            ));
        }
        let Some(migration) = migrations.get(version) else {
            return Ok(());
        };
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version as u32 + 1)?;
        transaction.commit()?;
    }
}

fn is_empty(connection: &Connection) -> Result<bool> {
    Ok(connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        (),
        |row| row.get(0),
    )?)
}

#[cfg(test)]
mod tests {
    use super::super::{
        accounts, archives, catalogue, factors, image_keys, images, meta, nouns, sessions, tries,
        usage,
    };
    use super::*;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        connection
    }

    #[test]
    fn no_statement_reads_a_whole_table_or_sorts() {
        let connection = migrated();
        let statements = [
            accounts::STATEMENTS,
            archives::STATEMENTS,
            catalogue::STATEMENTS,
            factors::STATEMENTS,
            image_keys::STATEMENTS,
            images::STATEMENTS,
            meta::STATEMENTS,
            sessions::STATEMENTS,
            tries::STATEMENTS,
            usage::STATEMENTS,
        ];
        let statements = statements.concat().into_iter().map(str::to_owned);
        let slow: Vec<String> = statements
            .chain(nouns::statements())
            .flat_map(|sql| {
                let steps = plan(&connection, &sql).into_iter();
                steps.map(move |step| (sql.clone(), step))
            })
            .filter(|(_, step)| {
                // What a statement has found itself may be gone through.
                let found = ["SCAN json_each", "SCAN (subquery"];
                let of_found = found.iter().any(|start| step.starts_with(start));
                let scans = step.starts_with("SCAN") && !of_found;
                scans || step.contains("TEMP B-TREE")
            })
            .map(|(sql, step)| format!("{step} in {sql}"))
            .collect();
        assert!(slow.is_empty(), "{slow:#?}");
    }

    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let unbound = vec![None::<i64>; explain.parameter_count()];
        let steps = explain.query_map(rusqlite::params_from_iter(unbound), |row| row.get(3));
        steps.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn what_version_1_wrote_is_complete_in_version_2() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &MIGRATIONS[..1]).unwrap();
        let written = "
            INSERT INTO accounts VALUES ('a', 'Ada', 'ada', 'a@b', 'a@b', 'Ada', 'user', 1000,
                65536, 3, 1, x'00', 1, x'00', x'00', x'00', x'00', x'00', 1, 0);
            INSERT INTO sessions VALUES (x'01', 'a', x'00', 2000, 3000, 9000, 'Browser');";
        connection.execute_batch(written).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let times: (i64, i64, Option<i64>) = connection
            .query_row(
                "SELECT password_set_at, recovery_made_at, recovery_proven_at FROM accounts",
                (),
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!(times, (1_000, 1_000, None));
        let session: (i64, String) = connection
            .query_row("SELECT idle_at, address FROM sessions", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(session, (1_803_000, String::new()));
    }

    #[test]
    fn what_older_versions_kept_is_counted_anew() {
        // One that counted nothing, and one that counted originals.
        for (version, counted) in [(3, ""), (8, ", 2, 5000001000, NULL, NULL")] {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, &MIGRATIONS[..version]).unwrap();
            what_is_kept_is_counted(connection, counted);
        }
    }

    fn what_is_kept_is_counted(mut connection: Connection, counted: &str) {
        let image = |id: &str, account: &str, len: u64, trashed_at: &str, preview: &str| {
            format!(
                "INSERT INTO images VALUES ('{id}', '{account}', 1, 0, 1, {trashed_at}, x'{id}',
                 x'00', 1, zeroblob(4097), 'o{id}', {len}, 't{id}', 4096, {preview});"
            )
        };
        let sequence = |account: &str, seq: u32| {
            format!("INSERT INTO sequences VALUES ('{account}', {seq}{counted});")
        };
        let written = [
            image("a1", "a", 1_000, "NULL", "NULL, NULL"),
            image("a2", "a", 5_000_000_000, "7", "'pa2', 4097"),
            image("b1", "b", 3, "NULL", "NULL, NULL"),
            sequence("a", 3),
            sequence("b", 1),
            sequence("c", 9),
        ];
        connection.execute_batch(&written.concat()).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let mut counted = connection
            .prepare("SELECT account, seq, images, bytes, bytes_allowed FROM sequences")
            .unwrap();
        let counted: Vec<(String, u32, u32, i64, Option<i64>)> = counted
            .query_map((), |row| {
                let (bytes, allowed) = (row.get(3)?, row.get(4)?);
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, bytes, allowed))
            })
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let expected = [
            // Of originals 1 and 1,220,704 blocks, of thumbnails 2, of a preview 2, of records 4; and
            // of five files one more.
            ("a".into(), 3, 2, (1_220_705 + 2 + 2 + 4 + 5) * 4_096, None),
            ("b".into(), 1, 1, (1 + 1 + 2 + 2) * 4_096, None),
            ("c".into(), 9, 0, 0, None),
        ];
        assert_eq!(counted, expected);
    }

    #[test]
    fn names_from_before_have_no_look_and_two_new_ones_not_the_same() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &MIGRATIONS[..9]).unwrap();
        let account = |id: &str| {
            format!(
                "INSERT INTO accounts VALUES ('{id}', '{id}', '{id}', '{id}', '{id}', '', 'user',
                 1, 1, 1, 1, x'', 1, x'', x'', x'', x'', x'', 1, 0, 1, 1, NULL, NULL"
            )
        };
        let older = format!("{}); {});", account("a"), account("b"));
        connection.execute_batch(&older).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let without = "SELECT count(*) FROM accounts WHERE username_skeleton IS NULL";
        let count: u32 = connection.query_row(without, (), |r| r.get(0)).unwrap();
        assert_eq!(count, 2);
        let newer = |id| connection.execute(&format!("{}, 'look')", account(id)), ());
        newer("c").unwrap();
        let refused = StoreError::from(newer("d").unwrap_err());
        assert!(matches!(refused, StoreError::Taken(_)), "{refused:?}");
    }

    #[test]
    fn a_failed_migration_leaves_the_older_schema() {
        let mut connection = migrated();
        let broken = [MIGRATIONS, &["CREATE TABLE half (x); nonsense"]].concat();
        assert!(migrate(&mut connection, &broken).is_err());
        let halves: u32 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'half'",
                (),
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(halves, 0);
        // The same file still opens with the migrations that do work.
        migrate(&mut connection, MIGRATIONS).unwrap();
    }

    #[test]
    fn a_later_migration_is_applied_to_an_older_file() {
        let mut connection = migrated();
        let longer = [MIGRATIONS, &["CREATE TABLE later (x)"]].concat();
        migrate(&mut connection, &longer).unwrap();
        migrate(&mut connection, &longer).unwrap();
        connection
            .execute("INSERT INTO later VALUES (1)", ())
            .unwrap();
    }
}
