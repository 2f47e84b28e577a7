//! How easily a new password is guessed.
//!
//! Judging costs time, and whoever chooses the text can make it cost more. So a password is judged
//! only for people who were admitted, or who have proved who they are by a counted try; judging
//! runs on the threads that hash passwords, a few at once; and of a text made to cost much only the
//! beginning is judged.

use zeroize::Zeroizing;

use crate::vault::Vault;
use crate::vault::error::{Result, VaultError};

/// Fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Most bytes of a password: a longer one would only cost hashing time.
pub(super) const MAX_PASSWORD_BYTES: usize = 1024;
/// Least strength, on zxcvbn's scale of 0 to 4: "safely unguessable, moderate protection from an
/// offline slow-hash scenario" (Wheeler, USENIX Security 2016).
const MIN_STRENGTH: zxcvbn::Score = zxcvbn::Score::Three;
/// Most characters that are judged: zxcvbn compares each part of them with its dictionaries, so its
/// time grows with the square of the length.
const MOST_JUDGED: usize = 64;
/// Characters that zxcvbn also reads as letters (`L33T_TABLE` in its `matching`). It does all of
/// its work anew for each way of reading them, of which 20 different ones have thousands.
const LOOK_ALIKES: &str = "0123456789@({[<!|$+%";
/// After so many different look-alikes nothing more is judged. Measured in a release build on one
/// core of 2026: 16 ms at worst instead of 440.
const MOST_LOOK_ALIKES: usize = 8;
/// But so many characters are always judged: 16 different look-alikes take 16 ms as well.
const LEAST_JUDGED: usize = 16;

/// Longest word of what an attacker would try first that is compared: each address fits.
pub(super) const MAX_WORD_BYTES: usize = 254;

impl Vault {
    /// Succeeds where a new password is good enough. `context` is what an attacker would try first.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `field`; [`VaultError::Busy`] where too much waits already.
    pub(super) async fn judge(
        &self,
        field: &'static str,
        password: &str,
        context: [&str; 2],
    ) -> Result<()> {
        let problem = match length_problem(password) {
            Some(problem) => Some(problem),
            None => {
                let start = judged(password);
                let context = context.map(str::to_owned);
                let judging = move || strength_problem(&start, &context);
                self.0.passwords.run(judging).await?
            }
        };
        problem.map_or(Ok(()), |problem| Err(VaultError::invalid(field, problem)))
    }
}

/// What is wrong with the length of a new password, or nothing.
pub(super) fn length_problem(password: &str) -> Option<String> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        Some(format!(
            "A password has at least {MIN_PASSWORD_CHARS} characters."
        ))
    } else if password.len() > MAX_PASSWORD_BYTES {
        Some(format!(
            "A password has at most {MAX_PASSWORD_BYTES} bytes."
        ))
    } else {
        None
    }
}

/// The part of a password that is judged. What follows it cannot better the verdict, at the expense
/// of people who begin a strong password with a long weak one.
fn judged(password: &str) -> Zeroizing<String> {
    let mut different = String::with_capacity(LOOK_ALIKES.len());
    let judged = password.chars().take(MOST_JUDGED).enumerate();
    let judged = judged.take_while(|(at, char)| {
        if LOOK_ALIKES.contains(*char) && !different.contains(*char) {
            different.push(*char);
        }
        *at < LEAST_JUDGED || different.len() <= MOST_LOOK_ALIKES
    });
    // Its whole capacity at once: the copies that a growing text leaves behind would not be wiped.
    let mut text = Zeroizing::new(String::with_capacity(4 * MOST_JUDGED));
    text.extend(judged.map(|(_, char)| char));
    text
}

fn strength_problem(password: &str, context: &[String]) -> Option<String> {
    let context: Vec<&str> = context
        .iter()
        .filter(|word| word.len() <= MAX_WORD_BYTES)
        .map(String::as_str)
        .collect();
    let verdict = zxcvbn::zxcvbn(password, &context);
    if verdict.score() >= MIN_STRENGTH {
        return None;
    }
    let warning = verdict.feedback().and_then(|feedback| feedback.warning());
    let reason = warning
        .map(|warning| format!(" {warning}"))
        .unwrap_or_default();
    Some(format!(
        "This password is too easy to guess.{reason} Try four or five unrelated words."
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(password: &str, context: &[&str]) -> Option<String> {
        let context: Vec<String> = context.iter().map(|&word| word.to_owned()).collect();
        length_problem(password).or_else(|| strength_problem(&judged(password), &context))
    }

    #[test]
    fn weak_passwords_are_refused_with_a_reason() {
        for password in [
            "short",
            "password123",
            "aaaaaaaaaaaaaaaa",
            "qwertyuiop",
            "wanda.meier1",
            &"12345678901234567890".repeat(4),
        ] {
            let problem = problem(password, &["wanda.meier", "wanda@example.org"]);
            assert!(problem.is_some(), "{password}");
        }
        assert!(problem(&"x".repeat(2000), &[]).is_some());
    }

    #[test]
    fn strong_ones_are_taken_however_they_are_made() {
        for password in [
            "correct horse battery staple",
            "12.03.1987 correct horse battery staple",
            "x7#K!9q$2vL@m4(Z{p[R<8c|T+3%0s5&6Y1w",
            "4@8({[<3691!|70$5+%2",
            "пять фиолетовых лам шепчут тихо",
        ] {
            assert_eq!(problem(password, &["wanda"]), None, "{password}");
        }
    }

    #[test]
    fn of_many_look_alikes_the_beginning_is_judged() {
        let all: String = LOOK_ALIKES.repeat(5);
        assert_eq!(judged(&all).chars().count(), LEAST_JUDGED);
        let letters = "abcdefghijklmnop".repeat(2);
        assert_eq!(
            *judged(&format!("{letters}{all}")),
            format!("{letters}01234567")
        );
        assert_eq!(judged(&"1 a".repeat(99)).chars().count(), MOST_JUDGED);
    }

    proptest! {
        #[test]
        fn what_is_judged_is_a_short_beginning_with_few_look_alikes(password in ".{0,100}|[0-9@({!|]{0,100}") {
            let judged = judged(&password);
            prop_assert!(password.starts_with(&**judged));
            prop_assert!(judged.chars().count() <= MOST_JUDGED);
            let different = LOOK_ALIKES.chars().filter(|&char| judged.contains(char)).count();
            prop_assert!(different <= MOST_LOOK_ALIKES || judged.chars().count() <= LEAST_JUDGED);
        }
    }
}
