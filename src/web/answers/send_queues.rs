//! What the system has not sent yet, or what has not arrived. It takes megabytes for one connection
//! at once, and then tells nothing until a third of that has gone: only this tells somebody who reads
//! slowly from somebody who does not.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Sockets of this process's network (proc_pid_net(5)). Other systems have no such files: there, all
/// that was handed to a connection counts as sent.
const TABLES: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/// Bytes in the send queues of all connections, by their other end.
#[derive(Default)]
pub(super) struct SendQueues(HashMap<SocketAddr, u64>);

impl SendQueues {
    /// As they are now.
    pub(super) async fn read() -> Self {
        let mut queues = HashMap::new();
        for path in TABLES {
            if let Ok(table) = tokio::fs::read_to_string(path).await {
                queues.extend(table.lines().skip(1).filter_map(entry));
            }
        }
        Self(queues)
    }

    /// Bytes that the connection's other end has not acknowledged.
    pub(super) fn to(&self, peer: SocketAddr) -> u64 {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        self.0.get(&peer).copied().unwrap_or(0)
    }

    /// These, for tests.
    #[cfg(test)]
    pub(super) fn of<const N: usize>(queues: [(SocketAddr, u64); N]) -> Self {
        Self(queues.into())
    }
}

/// The other end of a socket and its send queue, where that holds something: columns 3 and 5.
fn entry(line: &str) -> Option<(SocketAddr, u64)> {
    let mut columns = line.split_ascii_whitespace().skip(2);
    let (peer, queues) = (columns.next()?, columns.nth(1)?);
    let queued = u64::from_str_radix(queues.split_once(':')?.0, 16).ok()?;
    let (ip, port) = peer.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (queued > 0).then_some((SocketAddr::new(address(ip)?, port), queued))
}

/// Words of 32 bits, each as this machine has it in memory.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = hex.get(8 * at..8 * at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut bytes = [0; 16];
    for (at, four) in bytes.chunks_exact_mut(4).enumerate() {
        four.copy_from_slice(&word(at)?);
    }
    Some(Ipv6Addr::from(bytes).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_tells_the_other_end_and_its_queue() {
        let line = "   2: 0100007F:1F40 0200007F:C350 01 0027AC40:00000000 01:00000014 00000000     0        0 1 1";
        let v4 = "127.0.0.2:50000".parse().unwrap();
        assert_eq!(entry(line), Some((v4, 0x0027_ac40)));
        let line = "   0: 00000000000000000000000001000000:1F40 B80D0120000000000000000007000000:01BB 01 00000001:00000000 00:00000000 0 0 0";
        let v6 = "[2001:db8::7]:443".parse().unwrap();
        assert_eq!(entry(line), Some((v6, 1)));
        let line = "   0: x:1F40 0000000000000000FFFF00000200007F:C350 01 00000001:00000000 00";
        assert_eq!(entry(line), Some((v4, 1)), "IPv4 on a socket of IPv6");
    }

    #[test]
    fn other_lines_tell_nothing() {
        for line in [
            "",
            "x",
            "0: 0100007F:1F40 00000000:0000 0A 00000000:00000000",
            "a b é:é c é:é",
        ] {
            assert_eq!(entry(line), None, "{line}");
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn what_nobody_reads_is_in_the_queue() {
        use std::io::Write;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let reads_nothing = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut writer, peer) = listener.accept().unwrap();
        writer.set_nonblocking(true).unwrap();
        while writer.write(&[0; 65_536]).is_ok() {}
        assert!(SendQueues::read().await.to(peer) > 0);
        drop(reads_nothing);
    }
}
