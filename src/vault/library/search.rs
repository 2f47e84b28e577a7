//! What searching is: all words of a query occur in the texts of an image, also inside longer
//! words, whatever their case or accents. It needs no key.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

/// Most bytes of an image's folded texts that are searched: a name and a caption of full length fit
/// in any script that people write (Hangul becomes three times as long), and in most scripts all
/// that a record holds; but not the longest that a single character becomes (U+FDFA, eleven times
/// as long).
const MAX_FOLDED: usize = 16 << 10;
/// Most bytes of a folded name by which images are ordered, and which a cursor carries: in most
/// scripts twice as many as a file's longest name has on most systems.
const MAX_ORDERED: usize = 512;

/// The texts of an image that are searched, folded, a line each. Wiped from memory when dropped.
pub struct Searchable(Zeroizing<Box<str>>);

impl Searchable {
    /// Folds these texts, the name first. Text beyond `MAX_FOLDED` is left out.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a String> + Clone) -> Self {
        // Folding makes few texts longer, so this grows seldom.
        let lengths = texts.clone().into_iter().map(|text| text.len() + 1);
        let capacity = lengths.sum::<usize>().min(MAX_FOLDED);
        let mut lines = Zeroizing::new(String::with_capacity(capacity));
        for text in texts {
            for folded in folded(text) {
                if lines.len() + folded.len_utf8() > MAX_FOLDED {
                    break;
                }
                lines.push(folded);
            }
            if lines.len() < MAX_FOLDED {
                lines.push('\n');
            }
        }
        Self(Zeroizing::new(Box::from(lines.as_str())))
    }

    /// The name, folded for comparison, as far as images are ordered by it.
    pub fn folded_name(&self) -> &str {
        let name = self.0.split('\n').next().unwrap_or_default();
        let mut end = name.len().min(MAX_ORDERED);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        &name[..end]
    }

    /// Only the part by which images are ordered.
    pub(super) fn of_name(&self) -> Self {
        Self(Zeroizing::new(Box::from(self.folded_name())))
    }

    /// Bytes of the folded texts.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every word of the query occurs.
    pub fn matches(&self, query: &Query) -> bool {
        query.0.iter().all(|word| self.0.contains(word.as_str()))
    }
}

/// The words that are searched for: folded, and each once.
pub struct Query(Vec<String>);

impl Query {
    /// The words of this text.
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let words: BTreeSet<_> = folded.split_whitespace().collect();
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// How many words there are. A query without words matches everything.
    pub fn words(&self) -> usize {
        self.0.len()
    }
}

/// Lower case without accents: compatibility-decomposed (Unicode Annex 15), marks dropped.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
}

fn fold(text: &str) -> String {
    folded(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searching_ignores_case_and_accents() {
        assert_eq!(fold("Ärger ÉTÉ ﬁn"), "arger ete fin");
    }

    #[test]
    fn every_word_must_occur_somewhere() {
        let texts = ["Été à la plage.jpg", "Sea and SAND"].map(str::to_owned);
        let image = Searchable::new(&texts);
        assert_eq!(image.folded_name(), "ete a la plage.jpg");
        for matching in ["", "sand ETE", "pla", "sand sand"] {
            assert!(image.matches(&Query::new(matching)), "{matching}");
        }
        for other in ["beach", "plage beach", "jpgsea"] {
            assert!(!image.matches(&Query::new(other)), "{other}");
        }
        assert_eq!(Query::new(" a  A b ").words(), 2);
    }

    #[test]
    fn what_honest_people_write_is_searched_to_its_end() {
        // A name and a caption of full length, in syllables that become three letters each.
        let long = "각".repeat((1_024 + 4_096) / 3);
        let image = Searchable::new(&["name".to_owned(), format!("{long} end")]);
        assert!(image.len() > 15_000);
        assert!(image.matches(&Query::new("END")));
    }

    #[test]
    fn what_single_characters_become_is_bounded() {
        let hostile = "\u{fdfa}".repeat(1_365);
        assert!(fold(&hostile).len() > 3 * MAX_FOLDED / 2);
        let texts = vec![hostile; 100];
        let image = Searchable::new(&texts);
        assert!((MAX_FOLDED - 4..=MAX_FOLDED).contains(&image.len()));
        assert!(image.matches(&Query::new("\u{fdfa}")));
        let ordered = image.folded_name();
        assert!((MAX_ORDERED - 4..=MAX_ORDERED).contains(&ordered.len()));
        assert_eq!(image.of_name().folded_name(), ordered);
    }
}
