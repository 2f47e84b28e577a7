//! The end of a buffer as a buffer, so that a message is sealed or opened where it stands behind
//! others, and is never copied for it.

use aes_gcm::aead::{self, Buffer};

/// The part of `buffer` from `start` on; `start` lies within it.
pub(super) struct Tail<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Tail<'a> {
    /// The tail from `start` on; `None` where the buffer ends before it.
    pub(super) fn from(buffer: &'a mut Vec<u8>, start: usize) -> Option<Self> {
        (start <= buffer.len()).then_some(Self { buffer, start })
    }

    /// Appends a message, which becomes the tail.
    pub(super) fn behind(buffer: &'a mut Vec<u8>, message: &[u8]) -> Self {
        let start = buffer.len();
        buffer.extend_from_slice(message);
        Self { buffer, start }
    }
}

impl AsRef<[u8]> for Tail<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

impl AsMut<[u8]> for Tail<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }
}

impl Buffer for Tail<'_> {
    fn extend_from_slice(&mut self, other: &[u8]) -> aead::Result<()> {
        self.buffer.extend_from_slice(other);
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        self.buffer.truncate(self.start + len);
    }
}
