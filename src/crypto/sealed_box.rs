//! `IVBX`: one key, sealed to the public key of an account whose owner is away (results of a job,
//! uploads to a request link). 136 bytes.
//!
//! | offset | bytes | |
//! | --- | --- | --- |
//! | 0 | 4 | `IVBX` |
//! | 4 | 1 | version, 1 |
//! | 5 | 3 | zero |
//! | 8 | 32 | ephemeral X25519 public key |
//! | 40 | 32 | commitment |
//! | 72 | 32 | the key, AES-256-GCM |
//! | 104 | 16 | tag |
//! | 120 | 16 | salt |
//!
//! Anybody can seal to a public key, so a box tells nothing about who sealed it.

use std::ops::Range;

use x25519_dalek::PublicKey;

use super::keys::{AccountSecret, SecretKey};
use super::schedule;
use super::wrap::{WrapContext, array, open_key, seal_key};
use super::{CryptoError, random};

const LEN: usize = 136;
const HEADER: Range<usize> = 0..8;
const EPHEMERAL: Range<usize> = 8..40;
const COMMITMENT: Range<usize> = 40..72;
const CIPHERTEXT: Range<usize> = 72..104;
const TAG: Range<usize> = 104..120;
const SALT: Range<usize> = 120..136;

/// The bytes before the ciphertext, which are authenticated with it.
const PREFIX: Range<usize> = 0..72;

/// Magic, version, zeros. The kind is not told: the recipient knows what the box is for.
const MAGIC: &[u8; 8] = b"IVBX\x01\0\0\0";

/// A key sealed to an account.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBox([u8; LEN]);

impl SealedBox {
    /// Seals `child` to the account with this public key.
    ///
    /// # Errors
    /// [`CryptoError::Random`]; [`CryptoError::Parameters`] where the public key is one of the few
    /// with which every shared secret is zero.
    pub fn seal(
        recipient_public: &[u8; 32],
        child: &impl SecretKey,
        context: &WrapContext<'_>,
    ) -> Result<Self, CryptoError> {
        let ephemeral = AccountSecret::generate()?;
        let ephemeral_public = ephemeral.public_key();
        let shared = ephemeral
            .to_x25519()
            .diffie_hellman(&PublicKey::from(*recipient_public));
        if !shared.was_contributory() {
            return Err(CryptoError::Parameters);
        }
        let salt = random()?;
        let keys = schedule::sealed_box(
            shared.as_bytes(),
            &salt,
            &ephemeral_public,
            recipient_public,
            context,
        );
        let mut sealed = [0; LEN];
        sealed[HEADER].copy_from_slice(MAGIC);
        sealed[EPHEMERAL].copy_from_slice(&ephemeral_public);
        sealed[COMMITMENT].copy_from_slice(&keys.commitment);
        let (ciphertext, tag) = seal_key(&keys, &context.bind(&sealed[PREFIX]), child.key());
        sealed[CIPHERTEXT].copy_from_slice(&ciphertext);
        sealed[TAG].copy_from_slice(&tag);
        sealed[SALT].copy_from_slice(&salt);
        Ok(Self(sealed))
    }

    /// Opens what [`Self::seal`] sealed to this account in the same context.
    ///
    /// # Errors
    /// [`CryptoError::Open`], whatever is wrong.
    pub fn open<K: SecretKey>(
        &self,
        recipient: &AccountSecret,
        context: &WrapContext<'_>,
    ) -> Result<K, CryptoError> {
        let sealed = &self.0;
        if sealed[HEADER] != *MAGIC {
            return Err(CryptoError::Open);
        }
        let ephemeral_public: &[u8; 32] = array(&sealed[EPHEMERAL]);
        let shared = recipient
            .to_x25519()
            .diffie_hellman(&PublicKey::from(*ephemeral_public));
        if !shared.was_contributory() {
            return Err(CryptoError::Open);
        }
        let keys = schedule::sealed_box(
            shared.as_bytes(),
            array(&sealed[SALT]),
            ephemeral_public,
            &recipient.public_key(),
            context,
        );
        let associated_data = context.bind(&sealed[PREFIX]);
        open_key(
            &keys,
            array(&sealed[COMMITMENT]),
            &associated_data,
            array(&sealed[CIPHERTEXT]),
            array(&sealed[TAG]),
        )
        .map(K::from_key)
    }

    /// A box as it was stored.
    ///
    /// # Errors
    /// [`CryptoError::Open`] where it has not 136 bytes. All else is checked by [`Self::open`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        bytes.try_into().map(Self).map_err(|_| CryptoError::Open)
    }

    /// The box, to be stored.
    pub fn as_bytes(&self) -> &[u8; 136] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DataKey, WrapKind};
    use super::*;

    const CONTEXT: WrapContext<'static> = WrapContext {
        kind: WrapKind::ImageKey,
        owner: [1; 16],
        subject: [2; 16],
        params: b"",
    };

    fn opens(sealed: &SealedBox, account: &AccountSecret, context: &WrapContext<'_>) -> bool {
        match sealed.open::<DataKey>(account, context) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, CryptoError::Open);
                false
            }
        }
    }

    #[test]
    fn a_box_opens_to_its_key_for_its_account_only() {
        let account = AccountSecret::generate().unwrap();
        let child = DataKey::generate().unwrap();
        let sealed = SealedBox::seal(&account.public_key(), &child, &CONTEXT).unwrap();
        let stored = SealedBox::from_slice(sealed.as_bytes()).unwrap();
        let opened: DataKey = stored.open(&account, &CONTEXT).unwrap();
        assert_eq!(opened.key().0, child.key().0);

        assert!(!opens(
            &sealed,
            &AccountSecret::generate().unwrap(),
            &CONTEXT
        ));
        assert!(!opens(
            &sealed,
            &account,
            &WrapContext {
                owner: [9; 16],
                ..CONTEXT
            }
        ));
        assert!(!opens(
            &sealed,
            &account,
            &WrapContext {
                subject: [9; 16],
                ..CONTEXT
            }
        ));
        assert!(!opens(
            &sealed,
            &account,
            &WrapContext {
                kind: WrapKind::Drop,
                ..CONTEXT
            }
        ));
        assert!(!opens(
            &sealed,
            &account,
            &WrapContext {
                params: b"x",
                ..CONTEXT
            }
        ));
    }

    // The highest bit of a public key plays no part in X25519, yet changing it must be noticed.
    #[test]
    fn every_changed_bit_is_noticed() {
        let account = AccountSecret::generate().unwrap();
        let child = DataKey::generate().unwrap();
        let sealed = SealedBox::seal(&account.public_key(), &child, &CONTEXT).unwrap();
        for i in 0..LEN {
            for bit in [0, 7] {
                let mut changed = sealed.clone();
                changed.0[i] ^= 1 << bit;
                assert!(!opens(&changed, &account, &CONTEXT), "byte {i}, bit {bit}");
            }
        }
    }

    // With a public key of small order the shared secret is zero, whatever the other side's is:
    // anybody could seal without it, and anybody open.
    #[test]
    fn a_public_key_of_small_order_is_refused_on_both_sides() {
        let account = AccountSecret::generate().unwrap();
        let child = DataKey::generate().unwrap();
        let (zero, mut one) = ([0; 32], [0; 32]);
        one[0] = 1;
        for weak in [zero, one] {
            let result = SealedBox::seal(&weak, &child, &CONTEXT);
            assert_eq!(result.err(), Some(CryptoError::Parameters));

            let salt = [5; 16];
            let keys =
                schedule::sealed_box(&[0; 32], &salt, &weak, &account.public_key(), &CONTEXT);
            let mut forged = [0; LEN];
            forged[HEADER].copy_from_slice(MAGIC);
            forged[EPHEMERAL].copy_from_slice(&weak);
            forged[COMMITMENT].copy_from_slice(&keys.commitment);
            let (ciphertext, tag) = seal_key(&keys, &CONTEXT.bind(&forged[PREFIX]), child.key());
            forged[CIPHERTEXT].copy_from_slice(&ciphertext);
            forged[TAG].copy_from_slice(&tag);
            forged[SALT].copy_from_slice(&salt);
            assert!(!opens(&SealedBox(forged), &account, &CONTEXT));
        }
    }

    #[test]
    fn another_length_is_no_box() {
        for len in [0, 120, 135, 137] {
            assert!(SealedBox::from_slice(&vec![0; len]).is_err());
        }
    }
}
