-- What an account asks for besides its password: an authenticator app, passkeys, and spare codes.
CREATE TABLE factors (
    account           TEXT PRIMARY KEY,
    -- These four are set together, but for the third: when a code confirmed the app.
    totp_wrap         BLOB,
    totp_begun_at     INTEGER,
    totp_confirmed_at INTEGER,
    totp_last_step    INTEGER,
    -- These three as well. The digests stand one after the other, 32 bytes each.
    spare_wrap        BLOB,
    spare_made_at     INTEGER,
    spare_digests     BLOB,
    -- A JSON array, as `embedded/factors.rs` writes it.
    passkeys          TEXT NOT NULL,
    revision          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sign-ins that wait for their second factor, and challenges that passkeys answer.
CREATE TABLE pending (
    digest     BLOB PRIMARY KEY,
    account    TEXT,
    payload    BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_by_account ON pending (account);
CREATE INDEX pending_by_end ON pending (expires_at);
