//! Names that do not clash when they are unpacked into one folder. What makes a single name safe is
//! in [names](super::names).

use std::collections::HashMap;
use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use super::names::MAX_LEN;
use super::names::is_joiner;
use super::names::safe_name;
use super::names::shortened;
use super::names::split_extension;

/// Bytes of the longest suffix that makes a name unique, ` (4294967295)`.
const MAX_SUFFIX_LEN: usize = 13;

/// Safe names, all different, in the order of the given ones.
///
/// Two names clash where any common file system takes them for one: without regard to case, to
/// normalisation, or to joiners. The first keeps its name; a later one becomes `name (2).jpg`, or
/// the next number that is free. A name that is given literally goes before one that is made up.
///
/// Time and memory grow with the number of names alone, whatever they are.
pub fn unique_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    numbered(names.into_iter().map(safe_name).collect()).0
}

/// The names made unique, and how many candidates were tried for that: at most two for each name,
/// since a candidate is either taken by this name or held by another, and never tried twice.
fn numbered(mut names: Vec<String>) -> (Vec<String>, usize) {
    let mut taken = HashSet::with_capacity(names.len());
    let repeats: Vec<usize> = (0..names.len())
        .filter(|at| !taken.insert(clash_key(&names[*at])))
        .collect();

    // Numbers go on where the last name of the family stopped. Names that are numbered alike must
    // be one family, or each would try all the numbers of the others: so a family is told by what
    // is left beside the longest suffix, and each suffix is given that much room.
    let mut next_number: HashMap<String, u32> = HashMap::new();
    let mut tries = 0;
    for at in repeats {
        let room = MAX_LEN - MAX_SUFFIX_LEN;
        let family = shortened(&names[at], room);
        let (stem, extension) = split_extension(&family);
        let number = next_number.entry(clash_key(&family)).or_insert(2);
        names[at] = loop {
            let candidate = format!("{stem} ({number}){extension}");
            *number += 1;
            tries += 1;
            if taken.insert(clash_key(&candidate)) {
                break candidate;
            }
        };
    }
    (names, tries)
}

/// What two names have in common that some file system takes for the same name.
///
/// Upper case of lower case stands in for Unicode's case folding: it joins all that folding joins
/// (ß, ẞ and ss; σ and ς), and a few more, which costs no more than a number. HFS+ ignores joiners.
fn clash_key(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase(); // the same, without the tables
    }
    let bare: String = name.nfd().filter(|c| !is_joiner(*c)).collect();
    bare.to_lowercase().to_uppercase().nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::hostile_name;
    use super::super::names::tests::is_plain_component;
    use super::*;
    use proptest::prelude::*;

    // R1.41
    #[test]
    fn equal_names_are_numbered_before_the_extension() {
        assert_eq!(
            unique_names(["a.jpg", "b", "a.jpg", "b", "a.jpg"]),
            ["a.jpg", "b", "a (2).jpg", "b (2)", "a (3).jpg"]
        );
    }

    #[test]
    fn a_name_given_literally_goes_before_a_made_up_one() {
        assert_eq!(
            unique_names(["a.jpg", "a.jpg", "a (2).jpg"]),
            ["a.jpg", "a (3).jpg", "a (2).jpg"]
        );
    }

    #[test]
    fn names_clash_without_regard_to_case_and_normalisation() {
        let names = [
            "Ä.jpg",
            "A\u{308}.jpg",
            "ä.JPG",
            "straße",
            "STRASSE",
            "ὈΔΥΣΣΕΎΣ",
            "ὀδυσσεύς",
            "می\u{200C}خ",
            "میخ",
        ];
        let numbered = [
            "Ä.jpg",
            "Ä (2).jpg",
            "ä (3).JPG",
            "straße",
            "STRASSE (2)",
            "ὈΔΥΣΣΕΎΣ",
            "ὀδυσσεύς (2)",
            "می\u{200C}خ",
            "میخ (2)",
        ];
        assert_eq!(unique_names(names), numbered);
    }

    #[test]
    fn a_number_counts_within_the_longest_name() {
        let long = format!("{}.jpg", "x".repeat(300));
        let names = unique_names([long.as_str(), long.as_str()]);
        assert_eq!(names[0].len(), 240);
        assert!(
            names[1].len() <= 240 && names[1].ends_with("x (2).jpg"),
            "{}",
            names[1]
        );
    }

    #[track_caller]
    fn check_takes_few_tries(names: Vec<String>) {
        let len = names.len();
        let (unique, tries) = numbered(names);
        assert!(tries <= 2 * len, "{tries} tries for {len} names");
        assert_eq!(unique.iter().collect::<HashSet<_>>().len(), len);
    }

    #[test]
    fn ten_thousand_equal_names_are_numbered_in_a_try_each() {
        check_takes_few_tries(vec!["a.jpg".to_owned(); 10_000]);
    }

    #[test]
    fn numbers_that_are_taken_already_cost_no_quadratic_work() {
        let literal = (1..5_000).map(|number| format!("a ({number})"));
        check_takes_few_tries(literal.chain(vec!["a".to_owned(); 5_000]).collect());
    }

    #[test]
    fn long_names_that_differ_where_the_number_goes_cost_no_quadratic_work() {
        let twice = (0..4_000).map(|at| format!("{}{:06}.jpg", "x".repeat(230), at / 2));
        check_takes_few_tries(twice.map(|name| safe_name(&name)).collect());
    }

    proptest! {
        #[test]
        fn every_list_becomes_safe_and_unique(names in prop::collection::vec(hostile_name(), 0..40)) {
            let unique = unique_names(names.iter().chain(&names).map(String::as_str));
            prop_assert_eq!(unique.len(), 2 * names.len());
            for name in &unique {
                prop_assert!(is_plain_component(name), "{:?}", name);
                prop_assert_eq!(&safe_name(name), name);
            }
            let folded = unique.iter().map(|name| name.to_lowercase().nfc().collect::<String>());
            prop_assert_eq!(folded.collect::<HashSet<_>>().len(), unique.len());
        }
    }
}
