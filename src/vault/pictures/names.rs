//! What the name of a picture may hold: any text but signs that act on what stands around it.

/// The name without control characters (NUL to US, DEL, C1), and without each sign that turns the
/// direction of writing (U+202A to U+202E, U+2066 to U+2069) and has no partner within the name.
///
/// Left open, such a sign turns what follows the name as well: in a list, in a log, in a terminal.
/// In pairs they belong to names of several scripts. The answer is made in one walk, whatever the
/// name: an import's may have a million signs.
pub(in crate::vault) fn clean_name(name: &str) -> String {
    let mut dropped = lonely_signs(name);
    dropped.sort_unstable();
    let mut dropped = dropped.into_iter().peekable();
    let stays = |(at, c): (usize, char)| {
        let lonely = dropped.next_if_eq(&at).is_some();
        (!lonely && !c.is_control()).then_some(c)
    };
    name.char_indices().filter_map(stays).collect()
}

/// Where the signs without a partner stand. Pairs are those of UAX #9 (BD9, BD11) which close before
/// what surrounds them does.
fn lonely_signs(name: &str) -> Vec<usize> {
    /// A sign that waits for its partner, and whether it is an isolate.
    type Open = (usize, bool);
    let (mut open, mut isolates, mut lonely) = (Vec::<Open>::new(), 0_usize, Vec::new());
    for (at, c) in name.char_indices() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push((at, false)),
            '\u{2066}'..='\u{2068}' => {
                open.push((at, true));
                isolates += 1;
            }
            // "Pop directional formatting" closes nothing beyond the isolate that it stands in.
            '\u{202c}' => match open.last() {
                Some((_, false)) => drop(open.pop()),
                _ => lonely.push(at),
            },
            // "Pop directional isolate" also ends what was opened within, and not closed.
            '\u{2069}' if isolates > 0 => {
                while let Some((at, false)) = open.pop() {
                    lonely.push(at);
                }
                isolates -= 1;
            }
            '\u{2069}' => lonely.push(at),
            _ => {}
        }
    }
    lonely.extend(open.into_iter().map(|(at, _)| at));
    lonely
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_dropped() {
        let control = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        for c in control {
            assert_eq!(clean_name(&format!("a{c}b{c}{c}.jpg")), "ab.jpg", "{c:?}");
        }
        assert_eq!(clean_name("\r\n"), "");
        assert_eq!(clean_name(" \u{a0}é🏖️.jpg"), " \u{a0}é🏖️.jpg");
    }

    #[test]
    fn a_turn_of_direction_stays_where_it_is_closed_within_the_name() {
        for name in [
            "a\u{202e}gpj\u{202c}.exe",
            "\u{202a}\u{202b}x\u{202c}\u{202c}",
            "\u{2066}a\u{2067}b\u{2069}\u{2068}c\u{2069}\u{2069}",
            "\u{2068}\u{202d}x\u{202c}\u{2069}",
            "\u{202e}\u{2066}x\u{2069}\u{202c}",
        ] {
            assert_eq!(clean_name(name), name);
        }
    }

    #[test]
    fn a_turn_of_direction_without_its_partner_is_dropped() {
        for (name, clean) in [
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("\u{2067}a\u{2066}b\u{2069}", "a\u{2066}b\u{2069}"),
            ("\u{202c}a\u{2069}", "a"),
            ("\u{202a}\u{202e}a\u{202c}", "\u{202e}a\u{202c}"),
            ("\u{2066}\u{202e}a\u{2069}", "\u{2066}a\u{2069}"),
            ("\u{202e}\u{2066}\u{202c}a\u{2069}", "\u{2066}a\u{2069}"),
            ("\u{202e}\n\u{202c}a\0\u{2069}", "\u{202e}\u{202c}a"),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
        }
    }

    #[test]
    fn the_work_grows_with_the_length_of_the_name_alone() {
        let million = "\u{202e}".repeat(1 << 20) + &"\u{2069}".repeat(1 << 20);
        assert_eq!(clean_name(&million), "");
        let pairs = "\u{2066}".repeat(1 << 20) + &"\u{2069}".repeat(1 << 20);
        assert!(clean_name(&pairs) == pairs);
    }

    proptest! {
        /// What is left is the same in order, needs no second look, and closes what it opens.
        #[test]
        fn a_clean_name_stays_as_it_is(
            name in "[a\n\u{85}\u{202a}\u{202c}\u{202e}\u{2066}\u{2068}\u{2069}]{0,24}|.{0,40}",
        ) {
            let clean = clean_name(&name);
            prop_assert_eq!(&clean_name(&clean), &clean);
            let mut rest = name.chars();
            prop_assert!(clean.chars().all(|c| rest.any(|other| other == c)));
            prop_assert!(!clean.chars().any(char::is_control));
            let count = |signs: &[char]| clean.chars().filter(|c| signs.contains(c)).count();
            prop_assert_eq!(
                count(&['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}']),
                count(&['\u{202c}'])
            );
            prop_assert_eq!(
                count(&['\u{2066}', '\u{2067}', '\u{2068}']),
                count(&['\u{2069}'])
            );
        }
    }
}
