//! PNG files written chunk by chunk: what no encoder would write. The tests over HTTP use it too.

/// A PNG of these chunks; the end chunk is added.
pub(crate) fn of(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        out.extend(chunk(kind, data));
    }
    out.extend(chunk(b"IEND", &[]));
    out
}

/// One chunk, with its length and checksum (PNG, 5.3).
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = (data.len() as u32).to_be_bytes().to_vec();
    out.extend(kind);
    out.extend(data);
    out.extend(crc32fast::hash(&out[4..]).to_be_bytes());
    out
}

/// The first chunk: size in pixels, bits a sample, colour type (PNG, 11.2.2).
pub(crate) fn ihdr(width: u32, height: u32, depth: u8, colour: u8) -> (&'static [u8; 4], Vec<u8>) {
    let mut data = width.to_be_bytes().to_vec();
    data.extend(height.to_be_bytes());
    data.extend([depth, colour, 0, 0, 0]);
    (b"IHDR", data)
}
