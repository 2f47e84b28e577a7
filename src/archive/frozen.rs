//! A plan as bytes, to be sealed and kept while its archive is being downloaded.
//!
//! ```text
//! version  1   = 1
//! count    4   entries
//! each entry:
//!   source   16
//!   size      8
//!   crc32     4
//!   modified  4   MS-DOS date << 16 | time
//!   name len  2
//!   name      .   UTF-8
//! ```
//! Numbers are little-endian. The version stands for the archive's layout as well: a plan that was
//! frozen before the layout changed must not resume a download with other bytes.

use bytes::Buf;
use bytes::BufMut;

use super::dos_time::DosTime;
use super::plan::Entry;
use super::plan::Plan;
use super::plan::PlanError;

const VERSION: u8 = 1;
const HEAD_LEN: usize = 1 + 4;
/// Bytes of an entry beside its name.
const ENTRY_LEN: usize = 16 + 8 + 4 + 4 + 2;

impl Plan {
    /// The plan as bytes for [`Plan::decode`]: 34 for each entry and its name. They hold the names,
    /// so they are to be sealed.
    pub fn encode(&self) -> Vec<u8> {
        let names: usize = self.entries().iter().map(|entry| entry.name.len()).sum();
        let mut out = Vec::with_capacity(HEAD_LEN + self.len() * ENTRY_LEN + names);
        out.put_u8(VERSION);
        out.put_u32_le(self.len() as u32); // at most MAX_ENTRIES
        for entry in self.entries() {
            out.put_slice(&entry.source);
            out.put_u64_le(entry.size);
            out.put_u32_le(entry.crc32);
            out.put_u32_le(entry.modified.packed());
            out.put_u16_le(entry.name.len() as u16); // at most MAX_NAME_LEN
            out.put_slice(entry.name.as_bytes());
        }
        out
    }

    /// Reads what [`Plan::encode`] wrote, and checks it as [`Plan::new`] does.
    ///
    /// Memory grows with the bytes that are there, not with what they claim.
    ///
    /// # Errors
    /// [`PlanError::UnknownVersion`] or [`PlanError::Damaged`], or what [`Plan::new`] refuses.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, PlanError> {
        match bytes.try_get_u8() {
            Ok(VERSION) => {}
            Ok(other) => return Err(PlanError::UnknownVersion(other)),
            Err(_) => return Err(PlanError::Damaged),
        }
        let count = bytes.try_get_u32_le().map_err(|_| PlanError::Damaged)? as usize;
        if count > bytes.len() / ENTRY_LEN {
            return Err(PlanError::Damaged);
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(read_entry(&mut bytes).ok_or(PlanError::Damaged)?);
        }
        if !bytes.is_empty() {
            return Err(PlanError::Damaged);
        }
        Self::new(entries)
    }
}

/// The next entry, or `None` where the bytes hold none.
fn read_entry(bytes: &mut &[u8]) -> Option<Entry> {
    let (source, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    let size = bytes.try_get_u64_le().ok()?;
    let crc32 = bytes.try_get_u32_le().ok()?;
    let modified = DosTime::from_packed(bytes.try_get_u32_le().ok()?)?;
    let name_len = bytes.try_get_u16_le().ok()?;
    let (name, rest) = bytes.split_at_checked(name_len.into())?;
    *bytes = rest;
    let name = str::from_utf8(name).ok()?.to_owned();
    Some(Entry {
        source: *source,
        name,
        size,
        crc32,
        modified,
    })
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::entry;
    use super::super::plan::tests::plan_of;
    use super::*;
    use proptest::prelude::*;

    fn encoded() -> Vec<u8> {
        Plan::new(vec![entry("a.jpg", 5), entry("ü", 1 << 40)])
            .unwrap()
            .encode()
    }

    #[test]
    fn version_1_is_this_to_the_byte() {
        let golden = "01 02000000 \
                      07070707070707070707070707070707 0500000000000000 00000000 b56c745d 0500 612e6a7067 \
                      07070707070707070707070707070707 0000000000010000 00000000 b56c745d 0200 c3bc";
        assert_eq!(
            data_encoding::HEXLOWER.encode(&encoded()),
            golden.replace(' ', "")
        );
    }

    #[test]
    fn a_plan_that_ends_early_is_damaged() {
        let whole = encoded();
        for len in 0..whole.len() {
            assert_eq!(
                Plan::decode(&whole[..len]).err(),
                Some(PlanError::Damaged),
                "at {len}"
            );
        }
        assert!(Plan::decode(&whole).is_ok());
    }

    #[test]
    fn a_plan_with_something_behind_it_is_damaged() {
        let longer = [encoded(), vec![0]].concat();
        assert_eq!(Plan::decode(&longer).err(), Some(PlanError::Damaged));
    }

    #[test]
    fn a_count_that_the_bytes_cannot_hold_is_refused_before_memory_is_taken() {
        let mut lying = encoded();
        lying[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Plan::decode(&lying).err(), Some(PlanError::Damaged));
    }

    #[test]
    fn a_plan_of_another_version_is_refused_by_its_number() {
        let mut newer = encoded();
        newer[0] = 2;
        assert_eq!(
            Plan::decode(&newer).err(),
            Some(PlanError::UnknownVersion(2))
        );
    }

    #[test]
    fn a_frozen_plan_is_checked_like_a_new_one() {
        let mut twice = encoded();
        let second = twice.split_off(5 + 34 + 5);
        drop(second);
        let first = twice[5..].to_vec();
        twice.extend(first);
        assert_eq!(
            Plan::decode(&twice).err(),
            Some(PlanError::DuplicateName { entry: 1 })
        );
    }

    proptest! {
        #[test]
        fn a_plan_reads_back(sizes in prop::collection::vec(0_u64..1 << 40, 0..30)) {
            let plan = plan_of(&sizes);
            let back = Plan::decode(&plan.encode()).unwrap();
            prop_assert!(back.entries() == plan.entries());
            prop_assert_eq!(back.total_bytes(), plan.total_bytes());
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            let _ = Plan::decode(&bytes);
        }

        #[test]
        fn a_changed_byte_is_refused_or_makes_another_plan(at: prop::sample::Index, flip in 1..=u8::MAX) {
            let mut bytes = encoded();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(plan) = Plan::decode(&bytes) {
                prop_assert_eq!(plan.encode(), bytes);
            }
        }
    }
}
