//! From a password to a key: Argon2id (RFC 9106) with a pepper.
//!
//! This takes tens of milliseconds and tens of megabytes: callers run it on a thread that may
//! block, and only a few at once.

use argon2::{Algorithm, Argon2, Params, Version};

use super::CryptoError;
use super::keys::{KeyBytes, PasswordKey, Pepper, SecretKey};

/// How much a derivation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes. They are filled one after the other here; an attacker may use a core for each.
    pub lanes: u32,
}

impl KdfParams {
    /// The cost for new passwords: about 130 ms on one core.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The least an operator may configure (OWASP Password Storage Cheat Sheet). A row's cost may
    /// be less: it then opens the key that was wrapped with it, and nothing else.
    pub const FLOOR: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    /// More is refused, so that a changed row cannot exhaust the memory.
    pub const CEILING: Self = Self {
        memory_kib: 1024 * 1024,
        passes: 20,
        lanes: 16,
    };

    /// Whether this needs less memory or fewer passes than `other`. (Lanes add no cost.)
    pub fn is_below(&self, other: &Self) -> bool {
        self.memory_kib < other.memory_kib || self.passes < other.passes
    }

    /// The cost of the work that this takes more than `other`, in memory times passes; `None` where
    /// there is none, or less than Argon2 can do.
    pub fn beyond(&self, other: &Self) -> Option<Self> {
        let work = |cost: &Self| u64::from(cost.memory_kib) * u64::from(cost.passes);
        let more = work(self).checked_sub(work(other))?;
        // In as few passes as the configured memory allows, so that never more memory is used.
        let passes = more.div_ceil(u64::from(self.memory_kib).max(1));
        let memory_kib = u32::try_from(more.checked_div(passes)?).ok()?;
        // RFC 9106 section 3.1: at least eight blocks a lane.
        (memory_kib >= 8 * self.lanes).then_some(Self {
            memory_kib,
            passes: u32::try_from(passes).ok()?,
            lanes: self.lanes,
        })
    }

    fn checked(&self) -> Result<Params, CryptoError> {
        let Self {
            memory_kib,
            passes,
            lanes,
        } = *self;
        let most = Self::CEILING;
        if memory_kib > most.memory_kib || passes > most.passes || lanes > most.lanes {
            return Err(CryptoError::Parameters);
        }
        Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| CryptoError::Parameters)
    }
}

/// All inputs of a password's key besides the password. Stored with the account, in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordHashing {
    /// The cost.
    pub params: KdfParams,
    /// Random, drawn anew whenever the password is set.
    pub salt: [u8; 16],
    /// Which pepper was used, for an installation that changes its secret.
    pub pepper_id: u32,
}

impl PasswordHashing {
    /// The key of this password, as UTF-8. A wrong password gives a wrong key: that it fails to
    /// unwrap the master key is the check.
    ///
    /// # Errors
    /// [`CryptoError::Parameters`], before anything is allocated, where the parameters are above
    /// [`KdfParams::CEILING`] or below what Argon2 can do.
    pub fn derive(&self, password: &[u8], pepper: &Pepper) -> Result<PasswordKey, CryptoError> {
        let params = self.params.checked()?;
        let argon2 =
            Argon2::new_with_secret(&pepper.key().0, Algorithm::Argon2id, Version::V0x13, params)
                .expect("a pepper of 32 bytes is not too long");
        let mut key = KeyBytes([0; 32]);
        // Now only the allocation can fail, or a password of 4 GiB.
        argon2
            .hash_password_into(password, &self.salt, &mut key.0)
            .map_err(|_| CryptoError::Parameters)?;
        Ok(PasswordKey::from_key(key))
    }

    /// The `params` of the wrapped key that the password opens: memory, passes, lanes (32 bits
    /// each, big-endian), salt, pepper id (32 bits). So none of them can be changed in a row
    /// without the key ceasing to open.
    pub fn associated_data(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&self.params.memory_kib.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.params.passes.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.params.lanes.to_be_bytes());
        bytes[12..28].copy_from_slice(&self.salt);
        bytes[28..].copy_from_slice(&self.pepper_id.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InstanceSecret, MasterKey, WrapContext, WrapKind, WrappedKey};
    use super::*;

    /// As cheap as Argon2 can be.
    const CHEAP: KdfParams = KdfParams {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn hashing(params: KdfParams) -> PasswordHashing {
        PasswordHashing {
            params,
            salt: *b"0123456789abcdef",
            pepper_id: 1,
        }
    }

    fn pepper() -> Pepper {
        InstanceSecret::from_bytes([3; 32]).pepper()
    }

    #[test]
    fn what_a_cost_takes_more_than_another_adds_up() {
        let cost = |mib: u32, passes| KdfParams {
            memory_kib: mib << 10,
            passes,
            lanes: 1,
        };
        let today = cost(128, 3);
        assert_eq!(today.beyond(&cost(64, 3)), Some(cost(96, 2)));
        assert_eq!(today.beyond(&cost(128, 2)), Some(cost(128, 1)));
        assert_eq!(today.beyond(&today), None);
        assert_eq!(today.beyond(&cost(256, 3)), None, "the older costs more");
    }

    // Argon2 is only as safe as the row that sets its cost.
    #[test]
    fn parameters_that_would_exhaust_the_memory_are_refused_by_their_numbers() {
        let most = KdfParams::CEILING;
        let refused = [
            KdfParams {
                memory_kib: u32::MAX,
                ..most
            },
            KdfParams {
                memory_kib: most.memory_kib + 1,
                ..most
            },
            KdfParams {
                passes: most.passes + 1,
                ..most
            },
            KdfParams {
                lanes: most.lanes + 1,
                ..most
            },
            KdfParams {
                passes: u32::MAX,
                ..CHEAP
            },
            KdfParams {
                lanes: u32::MAX,
                ..CHEAP
            },
            KdfParams {
                memory_kib: 7,
                ..CHEAP
            },
            KdfParams {
                memory_kib: 0,
                ..CHEAP
            },
            KdfParams { passes: 0, ..CHEAP },
            KdfParams { lanes: 0, ..CHEAP },
            KdfParams { lanes: 2, ..CHEAP },
        ];
        let pepper = pepper();
        for params in refused {
            let refusal = Some(CryptoError::Parameters);
            assert_eq!(params.checked().err(), refusal, "{params:?}");
            let derived = hashing(params).derive(b"correct horse", &pepper);
            assert_eq!(derived.err(), refusal, "{params:?}");
        }
    }

    // R1.7
    #[test]
    fn every_input_changes_the_key() {
        let derive = |hashing: PasswordHashing, password: &[u8], pepper: &Pepper| {
            hashing.derive(password, pepper).unwrap().key().0
        };
        let base = hashing(CHEAP);
        let key = derive(base, b"correct horse", &pepper());
        assert_eq!(key, derive(base, b"correct horse", &pepper()));
        assert_ne!(key, derive(base, b"correct horsf", &pepper()));
        assert_ne!(key, derive(base, b"correct horse\0", &pepper()));
        assert_ne!(
            key,
            derive(
                PasswordHashing {
                    salt: [0; 16],
                    ..base
                },
                b"correct horse",
                &pepper()
            )
        );
        let other = InstanceSecret::from_bytes([4; 32]).pepper();
        assert_ne!(key, derive(base, b"correct horse", &other));
        let dearer = hashing(KdfParams { passes: 2, ..CHEAP });
        assert_ne!(key, derive(dearer, b"correct horse", &pepper()));
    }

    // A writer of the database who lowers the cost, hoping that the next sign-in leaves something
    // cheap to guess, only makes the password fail.
    #[test]
    fn a_row_whose_cost_was_changed_opens_nothing() {
        let written = hashing(KdfParams {
            memory_kib: 32,
            passes: 2,
            lanes: 1,
        });
        fn context(params: &[u8]) -> WrapContext<'_> {
            WrapContext {
                kind: WrapKind::Password,
                owner: [1; 16],
                subject: [1; 16],
                params,
            }
        }
        let open = |hashing: &PasswordHashing, wrapped: &WrappedKey| {
            let key = hashing.derive(b"correct horse", &pepper()).unwrap();
            wrapped.unwrap::<MasterKey>(&key, &context(&hashing.associated_data()))
        };
        let key = written.derive(b"correct horse", &pepper()).unwrap();
        let master = MasterKey::generate().unwrap();
        let wrapped =
            WrappedKey::wrap(&key, &master, &context(&written.associated_data())).unwrap();
        assert!(open(&written, &wrapped).is_ok());

        let changed = [
            PasswordHashing {
                params: KdfParams {
                    memory_kib: 16,
                    ..written.params
                },
                ..written
            },
            PasswordHashing {
                params: KdfParams {
                    passes: 1,
                    ..written.params
                },
                ..written
            },
            PasswordHashing {
                params: KdfParams {
                    lanes: 2,
                    ..written.params
                },
                ..written
            },
            PasswordHashing {
                salt: [0; 16],
                ..written
            },
            PasswordHashing {
                pepper_id: 2,
                ..written
            },
        ];
        for hashing in changed {
            assert_eq!(
                open(&hashing, &wrapped).err(),
                Some(CryptoError::Open),
                "{hashing:?}"
            );
        }
    }

    #[test]
    fn associated_data_holds_every_parameter_in_its_place() {
        let hashing = PasswordHashing {
            params: KdfParams {
                memory_kib: 0x0102_0304,
                passes: 0x0506_0708,
                lanes: 0x090a_0b0c,
            },
            salt: [0xee; 16],
            pepper_id: 0x0d0e_0f10,
        };
        let bytes = hashing.associated_data();
        assert_eq!(bytes[..12], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(bytes[12..28], [0xee; 16]);
        assert_eq!(bytes[28..], [13, 14, 15, 16]);
    }

    #[test]
    fn a_cheaper_hash_is_recognised() {
        let default = KdfParams::DEFAULT;
        assert!(KdfParams::FLOOR.is_below(&default));
        assert!(!default.is_below(&default));
        assert!(!default.is_below(&KdfParams::FLOOR));
        assert!(
            KdfParams {
                passes: 2,
                ..default
            }
            .is_below(&default)
        );
        assert!(
            KdfParams {
                memory_kib: 1,
                passes: 20,
                lanes: 1
            }
            .is_below(&default)
        );
        assert!(
            !KdfParams {
                lanes: 4,
                ..default
            }
            .is_below(&default)
        );
    }
}
