//! Files written byte by byte: what no encoder would write. Each is small and quick to make, whatever
//! size it claims to have.

/// Bits packed into bytes: highest first as in JPEG, or lowest first as in deflate, GIF and VP8L.
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
    highest_first: bool,
}

impl Bits {
    fn new(highest_first: bool) -> Self {
        Self {
            bytes: Vec::new(),
            pending: 0,
            count: 0,
            highest_first,
        }
    }

    /// The lowest `count` bits of `value`.
    fn put(&mut self, value: u32, count: u32) {
        let value = u64::from(value) & ((1 << count) - 1);
        if self.highest_first {
            self.pending = self.pending << count | value;
        } else {
            self.pending |= value << self.count;
        }
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            if self.highest_first {
                self.bytes.push((self.pending >> self.count) as u8);
                self.pending &= (1 << self.count) - 1;
            } else {
                self.bytes.push(self.pending as u8);
                self.pending >>= 8;
            }
        }
    }

    /// The bytes, the last one filled up with ones (JPEG) or zeros.
    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let fill = if self.highest_first { 0xff } else { 0 };
            self.put(fill, 8 - self.count);
        }
        self.bytes
    }
}

// --- JPEG ---

/// A JPEG of flat 8x8 blocks, the coding reduced to its bones: DC categories are their own 4-bit
/// codes, and the only AC code (one bit) ends a block.
pub(super) struct Jpeg {
    pub(super) width: u16,
    pub(super) height: u16,
    /// One level (0 to 255) for each component.
    pub(super) levels: &'static [u8],
    pub(super) progressive: bool,
    /// Whether every component has its own scan.
    pub(super) scan_each: bool,
    /// Segments to put after the start mark, each with its marker.
    pub(super) segments: Vec<(u8, Vec<u8>)>,
}

impl Jpeg {
    pub(super) fn new(width: u16, height: u16, levels: &'static [u8]) -> Self {
        Self {
            width,
            height,
            levels,
            progressive: false,
            scan_each: false,
            segments: Vec::new(),
        }
    }

    /// Everything before the first scan's data.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut out = vec![0xff, 0xd8];
        for (marker, data) in &self.segments {
            segment(&mut out, *marker, data);
        }
        let mut table = vec![0];
        table.extend([8; 64]); // so that a DC step is one level of a flat block
        segment(&mut out, 0xdb, &table);
        let mut frame = vec![8];
        frame.extend(self.height.to_be_bytes());
        frame.extend(self.width.to_be_bytes());
        frame.push(self.levels.len() as u8);
        for id in 1..=self.levels.len() as u8 {
            frame.extend([id, 0x11, 0]);
        }
        segment(&mut out, if self.progressive { 0xc2 } else { 0xc0 }, &frame);
        let mut dc = vec![0x00, 0, 0, 0, 12];
        dc.extend([0; 12]);
        dc.extend(0..12);
        segment(&mut out, 0xc4, &dc);
        let mut ac = vec![0x10, 1];
        ac.extend([0; 15]);
        ac.push(0);
        segment(&mut out, 0xc4, &ac);
        out
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = self.header();
        let all: Vec<usize> = (0..self.levels.len()).collect();
        let scans: Vec<&[usize]> = if self.scan_each {
            all.chunks(1).collect()
        } else {
            vec![&all]
        };
        for components in scans {
            self.scan(&mut out, components);
        }
        out.extend([0xff, 0xd9]);
        out
    }

    fn scan(&self, out: &mut Vec<u8>, components: &[usize]) {
        let mut header = vec![components.len() as u8];
        for component in components {
            header.extend([*component as u8 + 1, 0]);
        }
        header.extend([0, if self.progressive { 0 } else { 63 }, 0]);
        segment(out, 0xda, &header);
        let blocks = usize::from(self.width.div_ceil(8)) * usize::from(self.height.div_ceil(8));
        let mut bits = Bits::new(true);
        for block in 0..blocks {
            for component in components {
                let level = i32::from(self.levels[*component]) - 128;
                let step = if block == 0 { level } else { 0 };
                let category = 32 - step.unsigned_abs().leading_zeros();
                bits.put(category, 4);
                let value = if step < 0 { step - 1 } else { step };
                bits.put(value as u32, category);
                if !self.progressive {
                    bits.put(0, 1);
                }
            }
        }
        for byte in bits.finish() {
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
    }
}

fn segment(out: &mut Vec<u8>, marker: u8, data: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((data.len() as u16 + 2).to_be_bytes());
    out.extend(data);
}

// --- zlib ---

/// A zlib stream that unpacks to that many zeros, 258 of them in 13 bits.
pub(super) fn zlib_zeros(count: u64) -> Vec<u8> {
    let mut bits = Bits::new(false);
    bits.put(0b011, 3); // the last block, with the fixed codes (RFC 1951, 3.2.6)
    let runs = count.saturating_sub(1) / 258;
    for _ in 0..count - runs * 258 {
        bits.put(0b0000_1100, 8); // literal 0, its code's highest bit first
    }
    for _ in 0..runs {
        bits.put(0b1010_0011, 13); // length 258 (8 bits), then distance 1 (5)
    }
    bits.put(0, 7); // end of block
    let mut out = vec![0x78, 0x01];
    out.extend(bits.finish());
    // Adler-32 of zeros: the first sum stays 1, the second counts.
    out.extend((((count % 65521) as u32) << 16 | 1).to_be_bytes());
    out
}

// --- WebP ---

pub(super) fn riff_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
    out
}

pub(super) fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    body.extend(chunks.concat());
    riff_chunk(b"RIFF", &body)
}

/// A complete lossless picture of one colour: five codes of one symbol each, so that a pixel takes
/// no bits at all and 16,384 x 16,384 of them fit in a dozen bytes.
pub(super) fn vp8l(width: u32, height: u32) -> Vec<u8> {
    let mut bits = Bits::new(false);
    bits.put(0x2f, 8);
    bits.put(width - 1, 14);
    bits.put(height - 1, 14);
    bits.put(1, 1); // alpha
    bits.put(0, 3); // version
    bits.put(0, 3); // no transform, no colour cache, one group of codes
    for _ in 0..5 {
        bits.put(0b0001, 4); // simple code, one symbol, of one bit: 0
    }
    bits.put(0, 16); // the decoder reads ahead
    bits.finish()
}

/// The start of a lossy frame: all that is read before memory is allocated for it.
pub(super) fn vp8_header(width: u16, height: u16) -> Vec<u8> {
    let mut out = vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a];
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([0; 32]);
    out
}

pub(super) fn vp8x(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut data = vec![flags, 0, 0, 0];
    data.extend(&(width - 1).to_le_bytes()[..3]);
    data.extend(&(height - 1).to_le_bytes()[..3]);
    riff_chunk(b"VP8X", &data)
}

/// One frame of an animation, at the canvas's corner.
pub(super) fn anmf(width: u32, height: u32, bitstream: &[u8]) -> Vec<u8> {
    let mut data = vec![0; 6];
    data.extend(&(width - 1).to_le_bytes()[..3]);
    data.extend(&(height - 1).to_le_bytes()[..3]);
    data.extend([40, 0, 0, 0]);
    data.extend(bitstream);
    riff_chunk(b"ANMF", &data)
}

// --- GIF ---

/// A GIF of equal frames in the top left corner of a canvas, all of the first of two colours.
pub(super) fn gif(canvas: (u16, u16), frame: (u16, u16), frames: usize) -> Vec<u8> {
    let mut out = b"GIF89a".to_vec();
    out.extend(canvas.0.to_le_bytes());
    out.extend(canvas.1.to_le_bytes());
    out.extend([0x80, 0, 0, 200, 30, 30, 255, 255, 255]);
    // Codes of three bits: clear, then two pixels and clear again, so the width never grows. Eight
    // such pairs are nine whole bytes.
    let mut pairs = Bits::new(false);
    for _ in 0..8 {
        pairs.put(0b000_000_100, 9);
    }
    let pixels = usize::from(frame.0) * usize::from(frame.1);
    let mut codes = pairs.finish().repeat(pixels.div_ceil(16));
    codes.push(0b101); // end
    let mut data = vec![2];
    for block in codes.chunks(255) {
        data.push(block.len() as u8);
        data.extend(block);
    }
    data.push(0);
    for _ in 0..frames {
        out.extend(b"!\xf9\x04\0\x04\0\0\0,\0\0\0\0");
        out.extend(frame.0.to_le_bytes());
        out.extend(frame.1.to_le_bytes());
        out.push(0);
        out.extend(&data);
    }
    out.push(b';');
    out
}

// --- BMP and TIFF ---

/// A bitmap that ends after its header.
pub(super) fn bmp_header(width: i32, height: i32) -> Vec<u8> {
    let mut out = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([1, 0, 24, 0]);
    out.extend([0; 24]);
    out
}

/// A TIFF field: number, type (2 ASCII, 3 SHORT, 4 LONG), value in little-endian order.
pub(super) type TiffField = (u16, u16, Vec<u8>);

pub(super) fn shorts(tag: u16, values: &[u16]) -> TiffField {
    (
        tag,
        3,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

pub(super) fn longs(tag: u16, values: &[u32]) -> TiffField {
    (
        tag,
        4,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

/// A TIFF of one strip at offset 8, with these fields besides; they are put in order.
pub(super) fn tiff(size: (u32, u32), bits: &[u16], strip: &[u8], more: &[TiffField]) -> Vec<u8> {
    let colour = if bits.len() >= 3 { 2 } else { 1 };
    let mut fields = vec![
        longs(256, &[size.0]),
        longs(257, &[size.1]),
        shorts(258, bits),
        shorts(262, &[colour]),
        longs(273, &[8]),
        shorts(277, &[bits.len() as u16]),
        longs(278, &[size.1]),
        longs(279, &[strip.len() as u32]),
    ];
    for field in more {
        fields.retain(|known| known.0 != field.0);
        fields.push(field.clone());
    }
    fields.sort_by_key(|field| field.0);
    let mut directory = (fields.len() as u16).to_le_bytes().to_vec();
    let mut values: Vec<u8> = Vec::new();
    let values_at = 8 + strip.len() + 2 + fields.len() * 12 + 4;
    for (tag, kind, value) in &fields {
        let unit = match kind {
            3 => 2,
            4 => 4,
            _ => 1,
        };
        directory.extend(tag.to_le_bytes());
        directory.extend(kind.to_le_bytes());
        directory.extend(((value.len() / unit) as u32).to_le_bytes());
        if value.len() <= 4 {
            let mut inline = value.clone();
            inline.resize(4, 0);
            directory.extend(inline);
        } else {
            directory.extend(((values_at + values.len()) as u32).to_le_bytes());
            values.extend(value);
        }
    }
    directory.extend([0; 4]);
    let mut out = b"II*\0".to_vec();
    out.extend(((8 + strip.len()) as u32).to_le_bytes());
    out.extend(strip);
    out.extend(directory);
    out.extend(values);
    out
}
