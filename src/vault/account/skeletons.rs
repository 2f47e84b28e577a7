//! What a user name looks like, so that nobody passes for somebody else (UTS #39, section 4).
//!
//! The skeleton of a new name is stored beside it and unique: of two who race for one look, the
//! index of the store lets one in, on any process. Accounts from before may look alike and have to
//! go on working, so the skeleton may be missing. Upkeep stores those that are free: with that a
//! name from before is as taken as a new one, and of names that look alike one holds the skeleton
//! for all.

use unicode_normalization::UnicodeNormalization;

use crate::store::{AccountRow, StoreError, Updated};
use crate::vault::Vault;
use crate::vault::error::Result;

/// Accounts read at a time.
const BATCH: u32 = 500;

/// The skeleton of a user name, as it was typed: equal where two names look alike in any letter case.
///
/// The case is folded between two skeletons. Before the first, `paypaI` looks like `paypal` and
/// `paypai` does not; the second is for what looks like something else only in lower case, such as
/// `m` and `rn`. Names are typed in any case, so both are seen.
pub(super) fn skeleton(username: &str) -> String {
    let composed: String = username.trim().nfkc().collect();
    let seen: String = unicode_security::skeleton(&composed).collect();
    unicode_security::skeleton(&seen.to_lowercase()).collect()
}

impl Vault {
    /// Stores the skeletons of names that are without one, as far as they are free; returns how many.
    /// A part of upkeep, since an account may be deleted whose look another one has, and an older
    /// program beside this one stores none.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::vault) async fn store_skeletons(&self) -> Result<u64> {
        let (records, mut after, mut stored) = (&self.store().records, None, 0);
        loop {
            let accounts = records.accounts_without_skeleton(after.as_ref(), BATCH);
            let accounts = accounts.await?;
            let Some(last) = accounts.last() else {
                return Ok(stored);
            };
            after = Some(last.id);
            for account in accounts {
                let look = skeleton(&account.username);
                // Another one looks the same, and holds the skeleton for both.
                if records.account_by_skeleton(&look).await?.is_some() {
                    continue;
                }
                let account = AccountRow {
                    username_skeleton: Some(look),
                    ..account
                };
                match records.update_account(&account).await {
                    Ok(Updated::Done) => stored += 1,
                    // Changed meanwhile: the next round comes to it.
                    Ok(Updated::Conflict | Updated::Missing) => {}
                    // Somebody else came first.
                    Err(StoreError::Taken(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::accounts::login_key;
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (name, like) in [
            ("pаula", "paula"),   // Cyrillic а
            ("раuІа", "paula"),   // Cyrillic but for u, capital І
            ("ΡAULA", "paula"),   // Greek capital rho
            ("paypaI", "paypal"), // capital i
            ("PAYPAL", "paypa1"),
            ("ada0", "adaO"),
            ("rnax", "MAX"),
            ("ｐａｕｌａ", "paula"), // full width
            ("𝓹𝓪𝓾𝓵𝓪", "Paula"),
            ("paula\u{3164}", "paula"), // a letter that shows nothing
            ("a\u{308}da", "äda"),
        ] {
            assert_eq!(skeleton(name), skeleton(like), "{name} {like}");
        }
    }

    #[test]
    fn names_that_look_different_have_skeletons_of_their_own() {
        let names = [
            "paula",
            "pauls",
            "päula",
            "ada",
            "ada1",
            "ada2",
            "ada10",
            "a.d.a",
            "a-da",
            "a_da",
            "图片",
            "图",
            "Grüße",
            "grusse",
            "мария",
            "марія",
        ];
        for (n, name) in names.iter().enumerate() {
            for other in &names[..n] {
                assert_ne!(skeleton(name), skeleton(other), "{name} {other}");
            }
        }
        // However many are numbered.
        let numbered: std::collections::HashSet<_> =
            (0..10_000).map(|n| skeleton(&format!("user{n}"))).collect();
        assert_eq!(numbered.len(), 10_000);
    }

    proptest! {
        /// What is equal when it is compared looks alike in lower case, and a skeleton is bounded.
        #[test]
        fn a_skeleton_is_the_same_however_a_letter_is_encoded(name in "[\\w.-]{1,64}") {
            let composed: String = name.nfc().collect();
            let decomposed: String = name.nfd().collect();
            prop_assert_eq!(skeleton(&composed), skeleton(&decomposed));
            prop_assert!(skeleton(&login_key(&name)).len() <= 64 * 18 * 4 * 18);
        }
    }
}
