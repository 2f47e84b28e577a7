-- While the keys of an account's images are re-wrapped, the master key they had before.
ALTER TABLE sessions ADD COLUMN mk_generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN retired_wrap BLOB;
CREATE INDEX images_by_generation ON images (account, mk_generation, id);
