//! What searching is: all words of a query occur in what is known about an image, also inside longer
//! words, whatever their case or accents. It needs no key.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

/// What searches look into: some texts, folded, a line each. Wiped from memory when dropped.
pub struct Searchable(Zeroizing<String>);

impl Searchable {
    /// Of these texts, the name first.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        let mut lines = Zeroizing::new(String::new());
        for text in texts {
            lines.push_str(&Zeroizing::new(fold(text)));
            lines.push('\n');
        }
        Self(lines)
    }

    /// The name, folded for comparison.
    pub fn folded_name(&self) -> &str {
        self.0.split('\n').next().unwrap_or_default()
    }

    /// Whether every word of the query occurs.
    pub fn matches(&self, query: &Query) -> bool {
        query.0.iter().all(|word| self.0.contains(word.as_str()))
    }
}

/// The words that somebody looks for: folded, and each once.
pub struct Query(Vec<String>);

impl Query {
    /// The words of this text.
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let words: BTreeSet<_> = folded.split_whitespace().collect();
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// How many words. Without any, it matches everything.
    pub fn words(&self) -> usize {
        self.0.len()
    }
}

/// Lower case without accents: compatibility-decomposed (Unicode Annex 15), marks dropped.
fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
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
}
