-- While the keys of an account's images are re-wrapped, the master key they had before.
ALTER TABLE accounts ADD COLUMN retired_wrap BLOB;
CREATE INDEX images_by_generation ON images (account, mk_generation, id);
