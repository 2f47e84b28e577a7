-- Tickets by age, as an account's oldest make room for new ones.

DROP INDEX archives_by_account;
CREATE INDEX archives_by_account ON archives (account, created_at);
