//! Who is at the other end of a call, as far as a server can tell.

use std::net::IpAddr;

/// Told to an account's owner, and what failed tries are counted by. Never a reason to open
/// anything.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What kind of client it says to be, in a few words.
    pub device: String,
    /// Its address; none for the operator's command line.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// The operator, at the machine itself.
    pub fn operator() -> Self {
        Self {
            device: "The operator's command line".into(),
            address: None,
        }
    }

    /// As rows hold it.
    pub(super) fn address_text(&self) -> String {
        self.address.map(|at| at.to_string()).unwrap_or_default()
    }

    /// What tries are counted by: the address, or the network of 64 bits that one household or
    /// attacker has for itself in IPv6 (RFC 6177).
    pub(super) fn network(&self) -> Option<String> {
        Some(match self.address? {
            IpAddr::V4(at) => at.to_string(),
            IpAddr::V6(at) => match at.to_ipv4_mapped() {
                Some(at) => at.to_string(),
                None => format!("{:x?}", &at.segments()[..4]),
            },
        })
    }
}
