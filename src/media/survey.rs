//! The parts of a file around the pixels: where it keeps its EXIF block, whether it reaches its own
//! end, and how much memory its decoder will take besides the pixels it hands over. Decoders tell
//! these late, or wrongly, or not at all; here they are read from the bytes in place, without
//! allocating.
//!
//! No pixel is decoded here, and a file that passes may still be broken.

use std::ops::RangeInclusive;

use super::error::MediaError;
use super::format::Format;
use super::ifd::Tiff;

/// Facts about a file that are needed before its decoder may run.
pub(super) struct Survey<'a> {
    /// The EXIF block, from its TIFF header on.
    pub(super) exif: Option<&'a [u8]>,
    /// The largest size named before the pixels, where the decoder would find out too late.
    pub(super) size: Option<(u32, u32)>,
    /// Bytes the decoder allocates besides its output, for decoders where that depends on the file.
    pub(super) working_bytes: u64,
    /// Whether it is a JPEG as cameras write them: sequential, all in one scan, and without the mark
    /// by which Adobe's programs say which colours they mean.
    pub(super) is_simple_jpeg: bool,
}

const NOTHING: Survey<'_> = Survey {
    exif: None,
    size: None,
    working_bytes: 0,
    is_simple_jpeg: false,
};

/// Surveys a file that begins like `format`.
///
/// # Errors
/// [`MediaError::Broken`] where the file ends before its format's end mark, and
/// [`MediaError::Unsupported`] for a TIFF compression that cannot be decoded within limits.
pub(super) fn survey(format: Format, bytes: &[u8]) -> Result<Survey<'_>, MediaError> {
    match format {
        Format::Jpeg => jpeg(bytes).ok_or(MediaError::Broken),
        Format::Png => png(bytes).ok_or(MediaError::Broken),
        Format::Webp => webp(bytes).ok_or(MediaError::Broken),
        Format::Gif => Ok(Survey {
            size: gif_first_frame(bytes),
            working_bytes: gif_first_frame(bytes).map_or(0, |size| pixels(size) * 4),
            ..NOTHING
        }),
        Format::Tiff => tiff(bytes),
        Format::Bmp => Ok(NOTHING),
    }
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

fn be16(bytes: &[u8]) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(*bytes.first_chunk()?)))
}

fn be32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.first_chunk()?))
}

fn le16(bytes: &[u8]) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(*bytes.first_chunk()?)))
}

/// Walks the markers of a JPEG (ITU-T T.81, annex B) up to its end mark; `None` if there is none.
///
/// The decoder (zune-jpeg, as `image` sets it up) fills what is missing with grey and reports
/// success, so a picture cut short must be noticed here. Whatever follows the end mark is left
/// alone: phones append films (Motion Photo), further pictures (MPF) and private trailers.
fn jpeg(bytes: &[u8]) -> Option<Survey<'_>> {
    let mut found = NOTHING;
    let mut frame: &[u8] = &[];
    let (mut in_scan, mut is_simple) = (false, true);
    let mut rest = bytes.get(2..)?;
    loop {
        rest = &rest[memchr::memchr(0xff, rest)?..];
        // Any number of 0xff may fill up before a marker; within a scan 0xff00 is how a 0xff of data
        // is written. In the headers the decoder skips zeros as well, and then what follows them is
        // no marker: what it takes for one must be one here.
        let is_fill = |b: &u8| *b == 0xff || (*b == 0 && !in_scan);
        let fill = rest.iter().position(|b| !is_fill(b))?;
        let is_marker = rest[..fill].ends_with(&[0xff]);
        let (&marker, after) = rest[fill..].split_first()?;
        rest = after;
        if !is_marker {
            continue;
        }
        match marker {
            0xd9 => {
                found.is_simple_jpeg = is_simple && found.working_bytes == 0;
                return in_scan.then_some(found);
            }
            0x00 | 0x01 | 0xd0..=0xd8 if in_scan => continue,
            _ => {}
        }
        let segment = rest.get(2..be16(rest)?)?;
        rest = &rest[2 + segment.len()..];
        match marker {
            0xc0..=0xc2 => {
                frame = segment;
                if marker == 0xc2 {
                    found.working_bytes = coefficient_bytes(frame)?;
                }
            }
            0xda => {
                // Fewer components in the first scan than in the frame: more scans will follow, and
                // the decoder keeps all coefficients until they have come.
                if !in_scan && segment.first() < frame.get(5) {
                    found.working_bytes = coefficient_bytes(frame)?;
                }
                is_simple &= !in_scan;
                in_scan = true;
            }
            // No program writes one, and the decoder reads five bytes of its four: it would see
            // other markers from here on.
            0xe0 if segment.len() == 4 => return None,
            0xee if segment.starts_with(b"Adobe") => is_simple = false,
            0xe1 if found.exif.is_none() => found.exif = segment.strip_prefix(b"Exif\0\0"),
            _ => {}
        }
    }
}

/// Bytes of a JPEG frame's coefficients: two for each, 64 to a block, whole blocks only.
fn coefficient_bytes(frame: &[u8]) -> Option<u64> {
    let (height, width) = (be16(frame.get(1..)?)? as u64, be16(frame.get(3..)?)? as u64);
    let sampling = || {
        let components = frame.get(6..).unwrap_or_default().chunks_exact(3);
        components.map(|c| (u64::from(c[1] >> 4), u64::from(c[1] & 15)))
    };
    let across = width.div_ceil(8 * sampling().map(|(h, _)| h).max()?.max(1));
    let down = height.div_ceil(8 * sampling().map(|(_, v)| v).max()?.max(1));
    let blocks: u64 = sampling().map(|(h, v)| h * v).sum();
    Some(across * down * blocks * 64 * 2)
}

/// Walks the chunks of a PNG up to the end chunk; `None` if there is none. The EXIF chunk may stand
/// after the pixels, where the decoder has not been when it is asked.
fn png(bytes: &[u8]) -> Option<Survey<'_>> {
    let mut found = NOTHING;
    let mut rest = bytes.get(8..)?;
    loop {
        let length = be32(rest)? as usize;
        let kind = rest.get(4..8)?;
        let data = rest.get(8..)?.get(..length)?;
        // Four bytes of checksum, which the decoder checks for the chunks it uses.
        rest = rest.get(8 + length + 4..)?;
        match kind {
            b"IHDR" => found.size = Some((be32(data)?, be32(data.get(4..)?)?)),
            b"eXIf" if found.exif.is_none() => found.exif = Some(data),
            b"IEND" => return Some(found),
            _ => {}
        }
    }
}

/// Walks the chunks of a WebP (RFC 9649, section 2).
///
/// The decoder must not be asked for EXIF, since it would allocate what a chunk claims to hold (up
/// to 4 GiB); and it decodes a lossy frame at the frame's own size before it compares that with the
/// canvas, so every frame's size is looked at here.
fn webp(bytes: &[u8]) -> Option<Survey<'_>> {
    let mut found = NOTHING;
    let mut largest = (0, 0);
    let mut bytes_per_pixel = 4; // a lossless picture without alpha is decoded with it all the same
    for (kind, data) in riff_chunks(bytes.get(12..)?) {
        match kind {
            b"VP8X" => {
                const ALPHA: u8 = 0x10;
                let flags = data.first()?;
                // Luma, chroma, and the alpha plane by way of a lossless picture.
                bytes_per_pixel = bytes_per_pixel.max(if flags & ALPHA != 0 { 8 } else { 4 });
                largest = larger(largest, u24_size(data.get(4..)?));
            }
            b"EXIF" if found.exif.is_none() => {
                // Some writers keep the prefix that JPEG needs.
                found.exif = Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data));
            }
            b"ANMF" => {
                // The canvas and a frame besides what the frame itself takes.
                bytes_per_pixel = 14;
                for (kind, data) in riff_chunks(data.get(16..)?) {
                    largest = larger(largest, bitstream_size(kind, data));
                }
            }
            _ => largest = larger(largest, bitstream_size(kind, data)),
        }
    }
    found.size = Some(largest);
    found.working_bytes = pixels(largest) * bytes_per_pixel;
    Some(found)
}

fn larger(one: (u32, u32), other: Option<(u32, u32)>) -> (u32, u32) {
    match other {
        Some(other) if pixels(other) > pixels(one) => other,
        _ => one,
    }
}

fn u24_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at| Some(le16(bytes.get(at..)?)? + (u32::from(*bytes.get(at + 2)?) << 16) + 1);
    Some((side(0)?, side(3)?))
}

/// The size a VP8 or VP8L bitstream gives itself.
fn bitstream_size(kind: &[u8], data: &[u8]) -> Option<(u32, u32)> {
    match kind {
        b"VP8 " => Some((
            le16(data.get(6..)?)? & 0x3fff,
            le16(data.get(8..)?)? & 0x3fff,
        )),
        b"VP8L" => {
            let sides = u32::from_le_bytes(*data.get(1..)?.first_chunk()?);
            Some(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}

/// Chunks of a RIFF file; the last one may be cut short.
fn riff_chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (header, after) = rest.split_at_checked(8)?;
        let length = u32::from_le_bytes(*header.last_chunk()?) as usize;
        let data = &after[..length.min(after.len())];
        rest = after.get(length + length % 2..).unwrap_or_default();
        Some((&header[..4], data))
    })
}

/// The size of a GIF's first frame, found by stepping over the extensions before it. It may be
/// larger than the canvas, and the decoder allocates it whole.
fn gif_first_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let table = |flags: u8| {
        if flags & 0x80 != 0 {
            6 << (flags & 7)
        } else {
            0
        }
    };
    let mut rest = bytes.get(13 + table(*bytes.get(10)?)..)?;
    while rest.first() == Some(&b'!') {
        rest = rest.get(2..)?;
        loop {
            let length = usize::from(*rest.first()?);
            rest = rest.get(1 + length..)?;
            if length == 0 {
                break;
            }
        }
    }
    let frame = rest.strip_prefix(b",")?;
    Some((le16(frame.get(4..)?)?, le16(frame.get(6..)?)?))
}

/// A TIFF is its own EXIF block. JPEG inside TIFF is refused: the decoder inflates such a strip to
/// whatever size the JPEG in it claims, within no limit but 16,384 pixels a side.
fn tiff(bytes: &[u8]) -> Result<Survey<'_>, MediaError> {
    const COMPRESSION: u16 = 259;
    // None, fax group 4, LZW, deflate under its two numbers, PackBits.
    const BOUNDED: [u32; 6] = [1, 4, 5, 8, 32946, 32773];
    // The tags of TIFF 6.0 that describe the pixels. The decoder makes room for as many values of
    // each as the file claims before it has read them, within no limit of ours. An honest list has
    // a value for each strip or tile of each plane: 400,000 for small tiles of 100 megapixels.
    const PIXEL_TAGS: RangeInclusive<u16> = 254..=532;
    const BYTES_A_VALUE: u64 = 32;
    const MOST_BYTES: u64 = 32 << 20;
    let tiff = Tiff::new(bytes).ok_or(MediaError::Broken)?;
    let pixel_lists = tiff.claims().filter(|(tag, _)| PIXEL_TAGS.contains(tag));
    let longest = pixel_lists.map(|(_, count)| count).max().unwrap_or(0);
    let needed = u64::from(longest) * BYTES_A_VALUE;
    if needed > MOST_BYTES {
        let max = MOST_BYTES;
        return Err(MediaError::TooMuchMemory { needed, max });
    }
    let bounded = |number: Option<u32>| number.is_some_and(|n| BOUNDED.contains(&n));
    let mut compressions = tiff.main().filter(|field| field.tag == COMPRESSION);
    if !compressions.all(|field| bounded(field.first_number())) {
        return Err(MediaError::Unsupported {
            format: Format::Tiff,
        });
    }
    Ok(Survey {
        exif: Some(bytes),
        ..NOTHING
    })
}
