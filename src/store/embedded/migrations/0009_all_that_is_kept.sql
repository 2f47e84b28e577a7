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
