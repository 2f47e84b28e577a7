//! Why a picture was refused, in sentences for the person who sent it. Not the decoder's words:
//! they name internals, help nobody choose what to do next, and may quote the file.

use super::format::Format;

/// Why a file was not taken as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// No bytes at all.
    #[error("The file is empty. Check the original and send it again.")]
    Empty,
    /// The bytes are none of the accepted formats.
    #[error(
        "This is not a picture the vault can keep. Send a JPEG, PNG, GIF, WebP, TIFF or BMP file."
    )]
    NotAnImage,
    /// It begins like a picture but cannot be decoded to its last pixel.
    #[error(
        "The picture is damaged or was cut short. If it opens on your device, save it anew there and send that copy."
    )]
    Broken,
    /// A sound file of a rare kind of its format, which cannot be decoded here (12-bit JPEG, CMYK
    /// planes ...).
    #[error("This kind of {} file cannot be opened here. Save it as an ordinary JPEG or PNG and send that.", .format.name())]
    Unsupported {
        /// The format it is a rare kind of.
        format: Format,
    },
    /// More pixels than allowed; known from the header, nothing was decoded.
    #[error("The picture has {width} x {height} pixels; the limit is {} megapixels. Make it smaller and send it again.", .max_pixels / 1_000_000)]
    TooManyPixels {
        /// Pixels across, as stored.
        width: u32,
        /// Pixels down, as stored.
        height: u32,
        /// The limit, width times height.
        max_pixels: u64,
    },
    /// Few enough pixels, but decoding them takes too much memory.
    #[error("Opening the picture may take {} MiB of memory; the limit is {} MiB. Make it smaller, or save it with 8 bits per colour, and send it again.", .needed.div_ceil(1 << 20), .max >> 20)]
    TooMuchMemory {
        /// Memory that decoding may take, in bytes; one more than the limit where only the decoder
        /// knew.
        needed: u64,
        /// The limit, in bytes.
        max: u64,
    },
}
