//! What waits to be sent, held where it can be let go: the response has only a way to read from it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::in_connection;
use super::send_queues::SendQueues;
use crate::vault::Portion;

/// Who takes less than so many bytes in `send_stall` is given up.
const LEAST: i64 = 128 << 10;
/// The end of an answer goes in pieces of this size, and so much of it. The connection takes no more
/// than 16 pieces into its buffer (hyper, `MAX_BUF_LIST_BUFFERS`): so it cannot swallow the end, and
/// with that our knowledge that it still holds something, while large pieces are unsent.
const LAST_PIECE: u64 = 4 << 10;
const LAST: u64 = 17 * LAST_PIECE;

/// The bytes of an answer, in order.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An answer that may have to wait.
pub(super) struct Slot {
    len: u64,
    /// Most that is handed on at a time.
    piece: usize,
    waits: Mutex<Waits>,
}

struct Waits {
    /// Nothing once it is given up.
    pieces: Option<Pieces>,
    piece: Bytes,
    taken: u64,
    /// Whether the reader waits for us.
    hungry: bool,
    /// What is set aside for it. Given back when the response goes, not before: what the connection
    /// has taken is still in memory.
    portion: Option<Portion>,
    /// The other end of the connection.
    peer: Option<SocketAddr>,
    /// How much had arrived there when, as far as we know.
    mark: Option<(Instant, i64)>,
}

impl Slot {
    /// So many bytes, of which so many are handed on at a time, and for which nobody has paid yet.
    pub(super) fn new(pieces: Pieces, len: u64, piece: usize) -> Arc<Self> {
        Arc::new(Self {
            len,
            piece,
            waits: Mutex::new(Waits {
                pieces: Some(pieces),
                piece: Bytes::new(),
                taken: 0,
                hungry: true,
                portion: None,
                peer: None,
                mark: None,
            }),
        })
    }

    /// How much of it the connection holds at most.
    pub(super) fn in_connection(&self) -> u64 {
        in_connection(self.piece).min(self.len)
    }

    /// For the response.
    pub(super) fn reader(self: &Arc<Self>) -> Reader {
        Reader(Arc::clone(self))
    }

    /// Keeps what is set aside for it as long as the response.
    pub(super) fn pay(&self, portion: Portion, peer: Option<SocketAddr>) {
        let mut waits = self.waits();
        waits.portion = Some(portion);
        waits.peer = peer;
    }

    /// Whether its reader took less than the least for so long. To be asked several times in that.
    pub(super) fn stalls(&self, queues: &SendQueues, now: Instant, stall: Duration) -> bool {
        let mut waits = self.waits();
        let queued = waits.peer.map_or(0, |peer| queues.to(peer));
        let arrived = waits.taken as i64 - queued as i64;
        match waits.mark {
            // While it waits for us, its time stands still.
            Some((since, before)) if !waits.hungry && arrived - before < LEAST => {
                waits.pieces.is_some() && now.saturating_duration_since(since) >= stall
            }
            _ => {
                waits.mark = Some((now, arrived));
                false
            }
        }
    }

    /// Lets go what waits, and the memory that was for it. Whoever reads on finds it broken off.
    pub(super) fn let_go(&self) {
        let mut waits = self.waits();
        let gone = (waits.pieces.take(), std::mem::take(&mut waits.piece));
        if let Some(portion) = &mut waits.portion {
            portion.shrink_to(self.in_connection());
        }
        drop(waits);
        drop(gone);
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads an answer.
pub(in super::super) struct Reader(Arc<Slot>);

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut waits = self.0.waits();
        let waits = &mut *waits;
        while waits.piece.is_empty() {
            let Some(pieces) = &mut waits.pieces else {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            let next = pieces.as_mut().poll_next(context);
            waits.hungry = next.is_pending();
            match ready!(next) {
                Some(piece) => waits.piece = piece?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let left = self.0.len.saturating_sub(waits.taken);
        let most = match left.checked_sub(LAST) {
            None | Some(0) => LAST_PIECE,
            Some(before_the_last) => before_the_last,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let taken = most.min(waits.piece.len()).min(buffer.remaining());
        buffer.put_slice(&waits.piece[..taken]);
        waits.piece.advance(taken);
        waits.taken += taken as u64;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    use super::*;

    const STALL: Duration = Duration::from_secs(8);

    fn slot(pieces: &[usize]) -> (Arc<Slot>, Vec<u8>) {
        let len: usize = pieces.iter().sum();
        let whole: Vec<u8> = (0..len).map(|n| (n ^ (n >> 8)) as u8).collect();
        let mut rest = Bytes::from(whole.clone());
        let pieces: Vec<_> = pieces.iter().map(|len| Ok(rest.split_to(*len))).collect();
        (
            Slot::new(Box::pin(stream::iter(pieces)), len as u64, 256 << 10),
            whole,
        )
    }

    /// Reads some pieces of at most `room` bytes: how much they are.
    async fn take(reader: &mut Reader, pieces: usize, room: usize) -> usize {
        let (mut taken, mut buffer) = (0, vec![0; room]);
        for _ in 0..pieces {
            taken += reader.read(&mut buffer).await.unwrap();
        }
        taken
    }

    proptest! {
        #[test]
        fn whoever_reads_gets_every_byte(
            pieces in proptest::collection::vec(0..200_000_usize, 0..8),
            room in 1..300_000_usize,
        ) {
            let (slot, whole) = slot(&pieces);
            let mut reader = slot.reader().take(u64::MAX);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut all: Vec<u8> = Vec::new();
                let mut buffer = vec![0; room];
                loop {
                    match reader.read(&mut buffer).await.unwrap() {
                        0 => break,
                        read => all.extend(&buffer[..read]),
                    }
                }
                assert!(all == whole);
            });
        }
    }

    /// What hyper takes into its buffer beside one that is large, and one more in the channel.
    #[tokio::test]
    async fn the_connection_cannot_swallow_the_end_beside_a_large_piece() {
        for len in [69 << 10, 300 << 10, 1 << 20] {
            let (slot, whole) = slot(&[len]);
            let mut reader = slot.reader();
            let mut taken = 0;
            while taken < whole.len() - LAST as usize {
                taken += take(&mut reader, 1, 256 << 10).await;
            }
            taken += take(&mut reader, 15 + 1, 256 << 10).await;
            assert!(taken < whole.len(), "{len}");
        }
    }

    #[tokio::test]
    async fn who_takes_too_little_is_given_up_and_who_takes_enough_is_not() {
        let (slot, _) = slot(&[4 << 20]);
        let mut reader = slot.reader();
        let begin = Instant::now();
        let looks = |from: u64, to: u64| {
            (from..to).any(|secs| {
                let now = begin + Duration::from_secs(secs);
                slot.stalls(&SendQueues::default(), now, STALL)
            })
        };
        take(&mut reader, 1, 1000).await;
        assert!(!looks(0, 8));
        take(&mut reader, 1, LEAST as usize).await;
        assert!(!looks(8, 9));
        // A byte now and then, and for as long as is allowed.
        for secs in 9..16 {
            take(&mut reader, 1, 1).await;
            assert!(!looks(secs, secs + 1), "at {secs}");
        }
        assert!(looks(16, 17));
        slot.let_go();
        let error = reader.read(&mut [0; 10]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn time_stands_still_while_the_reader_waits_for_us() {
        let slot = Slot::new(Box::pin(stream::pending()), 1 << 20, 256 << 10);
        let mut reader = slot.reader();
        let mut buffer = [0; 10];
        let reading = tokio::time::timeout(Duration::ZERO, reader.read(&mut buffer));
        assert!(reading.await.is_err());
        let begin = Instant::now();
        let queues = SendQueues::default();
        let stalls = |secs| slot.stalls(&queues, begin + Duration::from_secs(secs), STALL);
        assert!(!(0..100).any(stalls));
    }

    #[tokio::test]
    async fn what_the_system_has_not_sent_was_not_taken() {
        let (slot, _) = slot(&[4 << 20]);
        let mut reader = slot.reader();
        let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
        slot.waits().peer = Some(peer);
        let begin = Instant::now();
        let look = |secs, queued| {
            let queues = SendQueues::of([(peer, queued)]);
            slot.stalls(&queues, begin + Duration::from_secs(secs), STALL)
        };
        let swallowed = take(&mut reader, 8, 256 << 10).await as u64;
        assert!(!look(0, swallowed));
        // Nothing more is taken, but it arrives.
        assert!(!look(7, swallowed - 2 * LEAST as u64));
        assert!(!look(14, swallowed - 2 * LEAST as u64));
        assert!(look(15, swallowed - 2 * LEAST as u64));
    }
}
