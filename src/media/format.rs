//! The formats the vault accepts, and how the first bytes tell them apart. Sniffing only chooses a
//! decoder: nothing is accepted before that decoder has read it to the end.

/// The value of `<input type="file" accept="…">`: the files that a file picker offers.
pub const ACCEPT: &str = "image/jpeg,image/png,image/gif,image/webp,image/tiff,image/bmp,\
                          .jpg,.jpeg,.png,.gif,.webp,.tif,.tiff,.bmp";

/// A format the vault accepts.
///
/// SVG, HTML and PDF are absent for good: they carry scripts, and a browser would run them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animated one the default image.
    Png,
    /// GIF; of an animated one the first frame.
    Gif,
    /// WebP, lossy or lossless; of an animated one the first frame.
    Webp,
    /// TIFF; of several pages the first. BigTIFF is not accepted.
    Tiff,
    /// Windows bitmap.
    Bmp,
}

impl Format {
    /// Every format, in the order users are told about them.
    pub const ALL: [Self; 6] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Tiff,
        Self::Bmp,
    ];

    /// The media type to serve it as.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
        }
    }

    /// The usual file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
        }
    }

    /// The name users know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        }
    }

    /// The format these bytes begin like.
    pub(super) fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
            Some(Self::Tiff)
        } else if bytes.starts_with(b"BM") && has_dib_header(bytes) {
            Some(Self::Bmp)
        } else {
            None
        }
    }
}

/// "BM" alone also begins "BMW for sale.txt", so the length of the header that must follow is
/// looked at too: one of the eight that ever existed.
fn has_dib_header(bytes: &[u8]) -> bool {
    let length = bytes.get(14..18).and_then(|b| b.try_into().ok());
    matches!(
        length.map(u32::from_le_bytes),
        Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R1.16: the picker offers what the server accepts.
    #[test]
    fn the_file_picker_offers_every_format_by_type_and_by_extension() {
        let offered: Vec<&str> = ACCEPT.split(',').collect();
        for format in Format::ALL {
            assert!(offered.contains(&format.content_type()));
            assert!(offered.contains(&format!(".{}", format.extension()).as_str()));
        }
        for kind in [".png", ".jpg", ".jpeg", ".gif"] {
            assert!(offered.contains(&kind), "R1.16 promises {kind}");
        }
    }

    #[test]
    fn a_text_that_begins_with_bm_is_no_bitmap() {
        assert_eq!(Format::sniff(b"BMW for sale, one owner, no rust"), None);
    }
}
