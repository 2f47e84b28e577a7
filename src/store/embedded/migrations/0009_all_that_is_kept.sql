-- What accounts keep is counted anew: not the originals alone, but thumbnails, previews and records
-- too, in whole blocks of 4,096 bytes, and a block more for each file (`store/quotas.rs`).

UPDATE sequences SET (images, bytes) = (
    SELECT count(*), coalesce(sum(
        (original_len + 4095) / 4096 * 4096 + 4096
        + (thumbnail_len + 4095) / 4096 * 4096 + 4096
        + coalesce((preview_len + 4095) / 4096 * 4096 + 4096, 0)
        + (length(metadata) + 4095) / 4096 * 4096
    ), 0) FROM images WHERE images.account = sequences.account
);

-- What an account has begun by age, as the oldest makes room for the newest.
DROP INDEX pending_by_account;
CREATE INDEX pending_by_account ON pending (account, expires_at);
