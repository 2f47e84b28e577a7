-- How much each account keeps, counted along with its changes, and what it may keep where an
-- operator has decided: -1 is no limit, and nothing is the server's default.

ALTER TABLE sequences ADD COLUMN images         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequences ADD COLUMN bytes          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequences ADD COLUMN images_allowed INTEGER;
ALTER TABLE sequences ADD COLUMN bytes_allowed  INTEGER;

UPDATE sequences SET (images, bytes) = (
    SELECT count(*), coalesce(sum(original_len), 0) FROM images WHERE images.account = sequences.account
);
