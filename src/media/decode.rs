//! Bytes to pixels within limits. Every number a decoder would allocate by is checked before it may:
//! `DynamicImage::from_decoder` ignores `image`'s own allocation limit (image-rs/image#3081), and
//! that is the route by which a picture is decoded after its header was looked at.
//!
//! An embedded ICC profile is ignored: `image` 0.25 hands profiles out but converts only between
//! CICP-described spaces. So thumbnails of wide-gamut pictures (Display P3) look a little paler than
//! the original, which keeps its profile.

use std::io::Cursor;

use image::DynamicImage;
use image::ImageDecoder;
use image::ImageError;
use image::ImageResult;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;

use super::error::MediaError;
use super::exif::Exif;
use super::format::Format;
use super::reduced;
use super::survey::Survey;
use super::survey::survey;

/// The limits of decoding a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width times height; there is no limit on one side, since panoramas are long.
    pub max_pixels: u64,
    /// Memory a decoder may take for its output and its working buffers, in bytes. The file itself
    /// (a JPEG: twice) and the views scaled down from the output, a few MiB, come on top.
    pub max_decode_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            max_decode_bytes: 512 << 20,
        }
    }
}

/// Memory of the PNG decoder besides pixels: profile, texts, one row. A profile that unpacks to
/// more is dropped, larger texts are refused.
const PNG_METADATA_BYTES: u64 = 64 << 20;

/// A picture in memory, as stored: not yet turned upright.
pub(super) struct Decoded {
    pub(super) format: Format,
    /// Width and height of the picture.
    pub(super) size: (u32, u32),
    /// The picture, or a smaller one of it that is large enough for the view it was decoded for.
    pub(super) pixels: DynamicImage,
    pub(super) exif: Exif,
}

impl Decoded {
    /// Width and height after the EXIF orientation.
    pub(super) fn shown_size(&self) -> (u32, u32) {
        let (width, height) = self.size;
        match self.exif.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }
}

/// Pixels along a side that a good filter wants for each one of a view.
const OVERSAMPLED: u32 = 2;

/// Decodes the first frame of a picture for a view of this side, if it keeps within the limits.
pub(super) fn decode(bytes: &[u8], side: u32, limits: &Limits) -> Result<Decoded, MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty);
    }
    let format = Format::sniff(bytes).ok_or(MediaError::NotAnImage)?;
    let refusal = |error| refusal(&error, format, limits);

    let survey = survey(format, bytes)?;
    if let Some(size) = survey.size {
        check_pixels(size, limits)?;
    }
    let mut decoder = open(format, bytes, limits).map_err(refusal)?;
    check_pixels(decoder.dimensions(), limits)?;
    let output = decoder.total_bytes();
    if output == 0 {
        return Err(MediaError::Broken);
    }
    check_memory(
        output.saturating_add(working_bytes(format, output, &survey)),
        limits,
    )?;
    let (size, exif) = (decoder.dimensions(), Exif::read(survey.exif));
    let pixels = match survey.is_simple_jpeg {
        true => reduced::jpeg(bytes, size, side * OVERSAMPLED),
        false => None,
    };
    let pixels = match pixels {
        Some(pixels) => pixels,
        None => {
            let rest = allocation_limit(limits.max_decode_bytes - output);
            decoder.set_limits(rest).map_err(refusal)?;
            DynamicImage::from_decoder(decoder).map_err(refusal)?
        }
    };
    Ok(Decoded {
        format,
        size,
        pixels,
        exif,
    })
}

/// Reads a picture's header.
fn open<'a>(
    format: Format,
    bytes: &'a [u8],
    limits: &Limits,
) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
    let bytes = Cursor::new(bytes);
    Ok(match format {
        Format::Jpeg => Box::new(JpegDecoder::new(bytes)?),
        Format::Png => {
            let metadata = limits.max_decode_bytes.min(PNG_METADATA_BYTES);
            Box::new(PngDecoder::with_limits(bytes, allocation_limit(metadata))?)
        }
        Format::Gif => Box::new(GifDecoder::new(bytes)?),
        Format::Webp => Box::new(WebPDecoder::new(bytes)?),
        Format::Tiff => Box::new(TiffDecoder::new(bytes)?),
        Format::Bmp => Box::new(BmpDecoder::new(bytes)?),
    })
}

fn allocation_limit(bytes: u64) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

fn working_bytes(format: Format, output: u64, survey: &Survey<'_>) -> u64 {
    match format {
        // The TIFF decoder fills a buffer of its own, four samples a pixel for CMYK, and copies it.
        Format::Tiff => output.saturating_add(output / 3),
        _ => survey.working_bytes,
    }
}

fn check_pixels((width, height): (u32, u32), limits: &Limits) -> Result<(), MediaError> {
    let max_pixels = limits.max_pixels;
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(MediaError::TooManyPixels {
            width,
            height,
            max_pixels,
        });
    }
    Ok(())
}

fn check_memory(needed: u64, limits: &Limits) -> Result<(), MediaError> {
    let max = limits.max_decode_bytes;
    if needed > max {
        return Err(MediaError::TooMuchMemory { needed, max });
    }
    Ok(())
}

fn refusal(error: &ImageError, format: Format, limits: &Limits) -> MediaError {
    match error {
        ImageError::Limits(_) => MediaError::TooMuchMemory {
            needed: limits.max_decode_bytes.saturating_add(1),
            max: limits.max_decode_bytes,
        },
        ImageError::Unsupported(_) => MediaError::Unsupported { format },
        _ => MediaError::Broken,
    }
}
