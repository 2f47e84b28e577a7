//! Pixels to small JPEGs: scaling, transparency, turning upright, placeholder. A step that touches
//! every pixel of the original is done once, in place or into the small result; the original is
//! never copied at full size, and turning waits until it is small.

use fast_image_resize::FilterType;
use fast_image_resize::MulDiv;
use fast_image_resize::ResizeAlg;
use fast_image_resize::ResizeOptions;
use fast_image_resize::Resizer;
use image::DynamicImage;
use image::Rgb;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;

use super::error::MediaError;

/// JPEG quality of thumbnails and previews: about 100 KB for a preview of a photograph.
const JPEG_QUALITY: u8 = 80;
/// The largest picture a ThumbHash is made from.
const THUMBHASH_SIDE: u32 = 100;
/// Longest side that is scaled with a proper filter. The filter's weights take about 60 bytes for
/// every pixel of a side, which for a picture of 100,000,000 x 1 would be gigabytes.
const MAX_FILTERED_SIDE: u32 = 1 << 19;

/// The picture within `side` x `side`, upright, transparency laid on white. Never enlarged. `whole`
/// is its size, of which the pixels may be a fraction.
pub(super) fn upright(
    pixels: DynamicImage,
    whole: (u32, u32),
    orientation: Orientation,
    side: u32,
) -> Result<RgbImage, MediaError> {
    let mut small = DynamicImage::ImageRgb8(on_white(fit(premultiplied(pixels)?, whole, side)?));
    small.apply_orientation(orientation);
    Ok(small.into_rgb8())
}

/// A baseline JPEG of these pixels and nothing else.
pub(super) fn jpeg(picture: &RgbImage) -> Result<Vec<u8>, MediaError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode_image(picture)
        .map_err(|_| MediaError::Broken)?;
    Ok(bytes)
}

/// The placeholder for a picture.
pub(super) fn thumbhash(picture: &RgbImage) -> Result<Vec<u8>, MediaError> {
    let (whole, picture) = (picture.dimensions(), picture.clone().into());
    let small = fit(picture, whole, THUMBHASH_SIDE)?.into_rgba8();
    let (width, height) = (small.width() as usize, small.height() as usize);
    Ok(thumbhash::rgba_to_thumb_hash(width, height, small.as_raw()))
}

/// Multiplies colours by alpha in place, so that scaling does not mix in colours nobody sees.
fn premultiplied(mut picture: DynamicImage) -> Result<DynamicImage, MediaError> {
    if picture.color().has_alpha() {
        MulDiv::new()
            .multiply_alpha_inplace(&mut picture)
            .map_err(|_| MediaError::Broken)?;
    }
    Ok(picture)
}

/// Lays a premultiplied picture on white: the part that alpha leaves free is filled up.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let premultiplied = picture.into_rgba8();
    RgbImage::from_fn(premultiplied.width(), premultiplied.height(), |x, y| {
        let [r, g, b, alpha] = premultiplied.get_pixel(x, y).0;
        Rgb([r, g, b].map(|colour| colour.saturating_add(255 - alpha)))
    })
}

/// Scales down to fit `side` x `side`, at least one pixel each way. The pixels may be fewer than the
/// whole picture has: a half, a quarter or an eighth, rounded up.
fn fit(pixels: DynamicImage, whole: (u32, u32), side: u32) -> Result<DynamicImage, MediaError> {
    let (width, height) = whole;
    let longest = width.max(height);
    if longest <= side {
        return Ok(pixels);
    }
    let scaled = |length: u32| {
        let exact = u64::from(length) * u64::from(side);
        let rounded = (exact + u64::from(longest) / 2) / u64::from(longest);
        rounded.clamp(1, u64::from(side)) as u32
    };
    let algorithm = if longest > MAX_FILTERED_SIDE {
        ResizeAlg::Nearest
    } else {
        ResizeAlg::Convolution(FilterType::Lanczos3)
    };
    // The pixels that rounding up added are no part of the picture: with them, all would be
    // shifted.
    let reduced = f64::from(longest) / f64::from(pixels.width().max(pixels.height()));
    let part = |length: u32| f64::from(length) / reduced.round();
    let options = ResizeOptions::new()
        .resize_alg(algorithm)
        .crop(0.0, 0.0, part(width), part(height))
        .use_alpha(false);
    let mut small = DynamicImage::new(scaled(width), scaled(height), pixels.color());
    Resizer::new()
        .resize(&pixels, &mut small, &options)
        .map_err(|_| MediaError::Broken)?;
    Ok(small)
}
