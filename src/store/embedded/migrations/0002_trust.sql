-- What an account's owner wants to know and decide: when the secrets were made and tried, which
-- sign-ins there are, what happened, and how often somebody guessed.

ALTER TABLE accounts ADD COLUMN password_set_at    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN recovery_made_at   INTEGER NOT NULL DEFAULT 0;
-- When the owner last proved to have the recovery code.
ALTER TABLE accounts ADD COLUMN recovery_proven_at INTEGER;
UPDATE accounts SET password_set_at = created_at, recovery_made_at = created_at;

-- A sign-in that is not used until `idle_at` has ended.
ALTER TABLE sessions ADD COLUMN idle_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
UPDATE sessions SET idle_at = last_seen_at + 1800000;
DROP INDEX sessions_by_use;
CREATE INDEX sessions_by_idling ON sessions (idle_at);
CREATE INDEX sessions_by_account ON sessions (account, created_at);

CREATE INDEX archives_by_account ON archives (account);

CREATE TABLE events (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    device  TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_account ON events (account, at);
CREATE INDEX events_by_age ON events (at);

-- Failed tries, by a digest of what was tried on.
CREATE TABLE tries (
    key     BLOB PRIMARY KEY,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_by_age ON tries (last_at);
