//! File names that unpack everywhere, and into their folder.
//!
//! A user's name is changed only where some system could not hold it, where it would lead out of
//! the folder, or where it could pass for another name. Spaces, every script and emoji survive.
//! Here is one name at a time; many at once are [numbered](super::numbering). Which names an
//! *image* may have is not decided here.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest name in bytes. Common file systems end at 255 bytes or 255 UTF-16 units; the rest is
/// left to unpacking programs, for a suffix of their own.
pub(super) const MAX_LEN: usize = 240;
/// The longest extension with its dot. A longer one is no extension but a sentence with a dot.
const MAX_EXTENSION_LEN: usize = 32;
/// The name of a file of whose own name nothing is left.
const UNNAMED: &str = "unnamed";

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// The name as a single safe path component of 1 to 240 bytes, in NFC.
///
/// - Only what follows the last `/` or `\` is kept.
/// - Control characters, line separators and characters that show nothing or turn the direction of
///   writing are dropped. Emoji and some scripts need three kinds of invisible ones, which are kept
///   where they can have that meaning: joiners after a non-ASCII character, variation selectors
///   after one or a keycap's digit, and tags after a black flag.
/// - `<>:"|?*` become `_`; dots and white space at the end are dropped.
/// - A device name of Windows (`con.jpg`) gets a leading `_`.
/// - A name too long is cut before its extension, between characters as a reader sees them.
/// - A name of which nothing is left is `unnamed`.
///
/// A safe name stays as it is.
pub fn safe_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut kept = String::with_capacity(base.len());
    // NFC before the filter, so that it sees final characters; and after it, because a dropped
    // character may have stood between two that compose.
    for c in base.nfc() {
        if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') {
            kept.push('_');
        } else if may_follow(kept.chars().next_back(), c) {
            kept.push(c);
        }
    }
    let composed: String = kept.nfc().collect();

    let mut name = shortened(trimmed(&composed), MAX_LEN);
    if is_windows_device(&name) {
        name = shortened(&format!("_{name}"), MAX_LEN);
    }
    if name.is_empty() {
        UNNAMED.to_owned()
    } else {
        name
    }
}

/// Whether a character stays, given the one before it.
///
/// It looks to the left only, so that every beginning of a filtered name is filtered too.
fn may_follow(before: Option<char>, c: char) -> bool {
    let after_non_ascii = before.is_some_and(|before| !before.is_ascii());
    match c {
        // In Persian, Indic scripts and family emoji; at most one.
        ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER => {
            after_non_ascii && !before.is_some_and(is_joiner)
        }
        _ if is_variation_selector(c) => {
            let keycap = matches!(before, Some('0'..='9' | '#'));
            let bare =
                !before.is_some_and(|before| is_joiner(before) || is_variation_selector(before));
            keycap || after_non_ascii && bare
        }
        // The flags of England, Scotland and Wales.
        _ if is_tag(c) => before.is_some_and(|before| before == '\u{1F3F4}' || is_tag(before)),
        _ => !c.is_control() && !is_invisible(c),
    }
}

pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
}

/// Unicode's `Variation_Selector`: emoji or text style, variants of kanji and of Mongolian letters.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}')
        || matches!(c, '\u{E0100}'..='\u{E01EF}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, line separators and interlinear
/// annotations. Those with a use have been judged by their place before.
fn is_invisible(c: char) -> bool {
    const RANGES: &[(u32, u32)] = &[
        (0xAD, 0xAD),
        (0x34F, 0x34F),
        (0x61C, 0x61C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x2028, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFFB),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    ];
    RANGES
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

/// The name without the dots and spaces at its end, which Windows would drop silently. This takes
/// `.` and `..` away as well.
fn trimmed(name: &str) -> &str {
    name.trim_end_matches(|c: char| c == '.' || c.is_whitespace() || is_joiner(c))
}

/// Whether Windows opens a device by this name. It looks at the part before the first dot.
/// (learn.microsoft.com, "Naming Files, Paths, and Namespaces")
fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let stem = stem.to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    match port {
        Some(number) => "0123456789¹²³".contains(number) && number.chars().count() == 1,
        None => ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()),
    }
}

/// The name and its extension with the dot, which is empty where there is none.
pub(super) fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION_LEN => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The name cut to `max` bytes, with its extension.
pub(super) fn shortened(name: &str, max: usize) -> String {
    if name.len() <= max {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    let stem = &stem[..cut_before(stem, max - extension.len())];
    if extension.is_empty() {
        trimmed(stem).to_owned()
    } else {
        format!("{stem}{extension}")
    }
}

/// The last place up to `max` where a character ends as a reader sees it: not before an accent, nor
/// inside an emoji of several parts.
///
/// An approximation of grapheme clusters. Where one would fill the name, it is cut like any other
/// character.
fn cut_before(text: &str, max: usize) -> usize {
    let joins = |at: usize| {
        let continues = |c: char| {
            is_combining_mark(c)
                || is_joiner(c)
                || is_variation_selector(c)
                || is_tag(c)
                || matches!(c, '\u{1F3FB}'..='\u{1F3FF}') // skin tones
        };
        text[at..].starts_with(continues) || text[..at].ends_with(ZERO_WIDTH_JOINER)
    };
    let mut boundaries = (1..=max).rev().filter(|at| text.is_char_boundary(*at));
    let last = boundaries.next().unwrap_or(0);
    if joins(last) {
        boundaries.find(|at| !joins(*at)).unwrap_or(last)
    } else {
        last
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        assert_eq!(safe_name(given), expected, "for {given:?}");
    }

    // R1.21
    #[test]
    fn ordinary_names_survive_exactly() {
        for name in [
            "my cat.png",
            "图片.png",
            "Фото с моря.JPG",
            "صورة.jpg",
            "می\u{200C}خواهم.jpg",
            "क्\u{200D}ष.jpg",
            "👩‍👩‍👧‍👦 at the sea 🏖️.jpg",
            "👍🏽.jpg",
            "1️⃣ 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}.jpg",
            "葛\u{E0100}飾.jpg",
            " a  b .jpg",
            ".hidden.jpg",
            "a.tar.gz",
            "100% & [more] {#1}; it's $5 ~ `x` ^ +=,@!.png",
            "no extension",
        ] {
            check(name, name);
        }
    }

    // R1.41: no path parts.
    #[test]
    fn only_the_base_name_is_kept() {
        check("../x.jpg", "x.jpg");
        check("/etc/x.jpg", "x.jpg");
        check("C:\\photos\\x.jpg", "x.jpg");
        check("C:x.jpg", "C_x.jpg");
        check("a\\b/c\\d.jpg", "d.jpg");
    }

    #[test]
    fn a_name_of_nothing_gets_a_name() {
        for nothing in ["", ".", "..", "...", "/", "a/", "a\\..", " ", "\0"] {
            check(nothing, "unnamed");
        }
        for invisible in ["\u{3000}", "\u{202E}", "\u{200D}. "] {
            check(invisible, "unnamed");
        }
    }

    #[test]
    fn characters_that_disguise_a_name_are_dropped() {
        check("gpj.\u{202E}exe.jpg", "gpj.exe.jpg");
        check(
            "in\u{200B}vo\u{200D}i\u{FE0F}ce\u{AD}\u{FEFF}.jpg",
            "invoice.jpg",
        );
        check("a\0b\nc\u{7F}\u{85}\u{2028}d.jpg", "abcd.jpg");
        check("\u{3164}\u{E0061}a\u{2066}.jpg", "a.jpg");
        check(
            "é\u{200D}\u{200D}\u{200C}é\u{FE0F}\u{FE0E}.jpg",
            "é\u{200D}é\u{FE0F}.jpg",
        );
    }

    #[test]
    fn what_windows_cannot_hold_is_replaced() {
        check("a<b>c:d\"e|f?g*h.jpg", "a_b_c_d_e_f_g_h.jpg");
        check("a.jpg. . .", "a.jpg");
    }

    #[test]
    fn device_names_of_windows_are_made_harmless() {
        for device in [
            "con",
            "CON",
            "Aux.jpg",
            "nul.tar.gz",
            "prn .jpg",
            "com0",
            "COM9.x",
            "lpt¹.jpg",
            "conin$",
            "CONOUT$.a",
        ] {
            check(device, &format!("_{device}"));
        }
        for harmless in [
            "conx.jpg",
            "com10.jpg",
            "com.jpg",
            "lpt.jpg",
            "a.con",
            "con-1.jpg",
            "comè",
        ] {
            check(harmless, harmless);
        }
        check("con. ", "_con");
        check(&format!("con{}x", " ".repeat(300)), "_con");
        assert_eq!(safe_name(&format!("con.{}", "x".repeat(236))).len(), 240);
    }

    #[test]
    fn names_are_composed_even_where_a_dropped_character_stood_between() {
        check("A\u{308}.jpg", "Ä.jpg");
        check("A\u{200B}\u{308}.jpg", "Ä.jpg");
        check("\u{212A}\u{200D}.jpg", "K.jpg");
    }

    #[test]
    fn a_long_name_is_cut_before_its_extension() {
        check(
            &format!("{}.jpeg", "x".repeat(300)),
            &format!("{}.jpeg", "x".repeat(235)),
        );
        check(&"x".repeat(300), &"x".repeat(240));
        check(
            &format!("{}.{}", "x".repeat(220), "y".repeat(32)),
            &format!("{}.{}", "x".repeat(220), "y".repeat(19)),
        );
    }

    #[test]
    fn a_long_name_is_never_cut_inside_a_character() {
        // 236 bytes are left for the stem: 78 of three bytes, 59 of four.
        check(
            &format!("{}.jpg", "図".repeat(100)),
            &format!("{}.jpg", "図".repeat(78)),
        );
        check(
            &format!("{}.jpg", "😀".repeat(100)),
            &format!("{}.jpg", "😀".repeat(59)),
        );
        // A family of 25 bytes begins 15 before the end, an accented q 2 before it.
        let (x, family) = ("x".repeat(221), "👩‍👩‍👧‍👦");
        check(&format!("{x}{family}{family}.jpg"), &format!("{x}.jpg"));
        let x = "x".repeat(235);
        check(&format!("{x}q\u{302}.jpg"), &format!("{x}.jpg"));
        // Nothing but accents: cut somewhere, rather than losing all.
        assert!(safe_name(&"\u{302}".repeat(1000)).len() > 200);
    }

    /// Names made of the pieces that cause trouble.
    pub(in super::super) fn hostile_name() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("/"),
            Just("\\"),
            Just("."),
            Just(" "),
            Just("con"),
            Just("COM1"),
            Just("nul."),
            Just(" (2)"),
            Just(".jpg"),
            Just("a"),
            Just("A"),
            Just("\u{308}"),
            Just("\u{345}"),
            Just("ß"),
            Just("SS"),
            Just("\u{200D}"),
            Just("\u{200C}"),
            Just("\u{FE0F}"),
            Just("👩"),
            Just("🏴"),
            Just("\u{E0067}"),
            Just("\u{202E}"),
            Just("\0"),
            Just("\u{212A}"),
            Just("\u{1100}"),
            Just("\u{1161}"),
            Just("İ"),
            Just("?"),
            Just("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        ];
        prop_oneof![
            any::<String>(),
            prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
        ]
    }

    pub(in super::super) fn is_plain_component(name: &str) -> bool {
        let path = std::path::Path::new(name);
        path.file_name().is_some_and(|file| file == name)
            && path.components().count() == 1
            && name.len() <= 240
            && !name.ends_with(['.', ' '])
            && !name
                .chars()
                .any(|c| c.is_control() || "<>:\"/\\|?*\u{202E}\u{200B}".contains(c))
            && unicode_normalization::is_nfc(name)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn every_name_becomes_a_plain_component_and_then_stays(name in hostile_name()) {
            let safe = safe_name(&name);
            prop_assert!(is_plain_component(&safe), "{:?}", safe);
            prop_assert!(!is_windows_device(&safe), "{:?}", safe);
            prop_assert_eq!(safe_name(&safe), safe);
        }
    }
}
