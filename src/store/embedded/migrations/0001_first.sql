-- Accounts, sessions, images, archives.
--
-- Ids are text (base32), so that a row and a blob's file name can be compared by eye. Times are
-- milliseconds since 1970. Sealed values and digests are blobs. No table refers to another by a
-- foreign key, because MongoDB has none and both backends promise the same.

-- Single values: who founded the instance, the instance check.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id             TEXT PRIMARY KEY,
    username       TEXT NOT NULL,
    username_key   TEXT NOT NULL UNIQUE,
    email          TEXT NOT NULL,
    email_key      TEXT NOT NULL UNIQUE,
    display_name   TEXT NOT NULL,
    role           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    kdf_memory_kib INTEGER NOT NULL,
    kdf_passes     INTEGER NOT NULL,
    kdf_lanes      INTEGER NOT NULL,
    kdf_salt       BLOB NOT NULL,
    kdf_pepper_id  INTEGER NOT NULL,
    password_wrap  BLOB NOT NULL,
    recovery_wrap  BLOB NOT NULL,
    digest_wrap    BLOB NOT NULL,
    public_key     BLOB NOT NULL,
    secret_wrap    BLOB NOT NULL,
    mk_generation  INTEGER NOT NULL,
    revision       INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    digest       BLOB PRIMARY KEY,
    account      TEXT NOT NULL,
    master_wrap  BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    label        TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_use ON sessions (last_seen_at);

-- Apart from `accounts`, so that storing an image does not rewrite an account's row.
CREATE TABLE sequences (
    account TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    seq           INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    uploaded_at   INTEGER NOT NULL,
    -- An image is in the trash when this is set.
    trashed_at    INTEGER,
    digest        BLOB NOT NULL,
    key_wrap      BLOB NOT NULL,
    mk_generation INTEGER NOT NULL,
    metadata      BLOB NOT NULL,
    original      TEXT NOT NULL,
    original_len  INTEGER NOT NULL,
    thumbnail     TEXT NOT NULL,
    thumbnail_len INTEGER NOT NULL,
    preview       TEXT,
    preview_len   INTEGER
) STRICT;
CREATE UNIQUE INDEX images_by_digest ON images (account, digest);
CREATE INDEX images_by_change ON images (account, seq, id);
CREATE INDEX images_by_trashing ON images (trashed_at) WHERE trashed_at IS NOT NULL;
CREATE INDEX images_by_original ON images (original);
CREATE INDEX images_by_thumbnail ON images (thumbnail);
CREATE INDEX images_by_preview ON images (preview) WHERE preview IS NOT NULL;

CREATE TABLE tombstones (
    account    TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    image      TEXT NOT NULL,
    removed_at INTEGER NOT NULL,
    PRIMARY KEY (account, seq, image)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_age ON tombstones (removed_at);

CREATE TABLE archives (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    key_wrap   BLOB NOT NULL,
    plan       TEXT NOT NULL,
    plan_len   INTEGER NOT NULL
) STRICT;
CREATE INDEX archives_by_end ON archives (expires_at);
CREATE INDEX archives_by_plan ON archives (plan);
