-- Who may register where not everybody may: each row is one link, used once.
CREATE TABLE invitations (
    digest     BLOB PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_end ON invitations (expires_at);

-- Accounts that are being deleted: what came in meanwhile is removed as well.
CREATE TABLE departed (
    account TEXT PRIMARY KEY,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX departed_by_age ON departed (at);
