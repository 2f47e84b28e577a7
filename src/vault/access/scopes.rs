//! What a session may be used for: an API token for what its owner chose, a sign-in for all.

use jiff::Timestamp;

use crate::crypto::SessionToken;

/// Tells an API token from a sign-in's secret, for people, programs and scanners of leaked secrets.
pub(in crate::vault) const API_TOKEN_PREFIX: &str = "ivt_";

/// One thing that a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Look at pictures, and download them.
    Read,
    /// Add, change and delete pictures.
    Write,
    /// Make and end shares.
    Share,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Share];

    /// The word for it in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Share => "share",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Share => 4,
        }
    }
}

/// The set of scopes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Reads the bits that a row keeps. An unknown bit, of a newer version, allows nothing here.
    pub(in crate::vault) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The bits that a row keeps.
    pub(in crate::vault) fn bits(self) -> u8 {
        self.0
    }

    /// The scopes with these names.
    ///
    /// # Errors
    /// A sentence, where no name is given or one is unknown.
    pub(in crate::vault) fn named<'a>(
        names: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<Self, String> {
        let mut bits = 0;
        for name in names {
            let scope = Scope::ALL.into_iter().find(|scope| scope.name() == name);
            bits |= scope
                .ok_or("Choose from `read`, `write` and `share`.")?
                .bit();
        }
        match bits {
            0 => Err("Choose what the token may do.".into()),
            bits => Ok(Self(bits)),
        }
    }

    /// Whether the scope is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The names of the scopes in the set.
    pub fn names(self) -> Vec<&'static str> {
        let has = |scope: &Scope| self.has(*scope);
        Scope::ALL
            .into_iter()
            .filter(has)
            .map(Scope::name)
            .collect()
    }

    /// The subject that binds the token's wrapped key: a row whose scopes or end were altered opens
    /// nothing.
    pub(in crate::vault) fn subject_of(
        self,
        token: &SessionToken,
        expires_at: Timestamp,
    ) -> [u8; 16] {
        let mut terms = [self.0, 0, 0, 0, 0, 0, 0, 0, 0];
        terms[1..].copy_from_slice(&expires_at.as_millisecond().to_be_bytes());
        token.subject_under(&terms)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn an_altered_row_has_another_subject() {
        let token = SessionToken::generate().unwrap();
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let subject = Scopes(1).subject_of(&token, at);
        assert_eq!(subject, Scopes(1).subject_of(&token, at));
        assert_ne!(subject, Scopes(3).subject_of(&token, at));
        let later = at + SignedDuration::from_millis(1);
        assert_ne!(subject, Scopes(1).subject_of(&token, later));
    }
}
