-- What user names look like, so that no new one looks like another. Filled in by the vault at its next
-- start; those of accounts that look alike already stay empty but for one.
ALTER TABLE accounts ADD COLUMN username_skeleton TEXT;
CREATE UNIQUE INDEX accounts_by_skeleton ON accounts (username_skeleton);
-- For those that are without one, which the other index does not know in their order.
CREATE INDEX accounts_without_skeleton ON accounts (username_skeleton, id);
