//! Who is at the other end of a call, as far as a server can tell.

use std::net::IpAddr;

/// The client behind a call: told to the account's owner, and what failed tries are counted by.
/// Never a reason to open anything.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The kind of client that it says it is, in a few words.
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

    /// The network by which calls and tries are counted: the address, or in IPv6 its first 64 bits.
    pub fn network(&self) -> String {
        self.address.map(network_of).unwrap_or_default()
    }

    /// The site by which connections are counted, and the memory that clients of one place hold
    /// together: [`site_of`] the address.
    pub fn site(&self) -> String {
        self.address.map(site_of).unwrap_or_default()
    }

    /// The address as rows hold it.
    pub(super) fn address_text(&self) -> String {
        self.address.map(|at| at.to_string()).unwrap_or_default()
    }
}

/// The network that tries are counted by: the address, or in IPv6 its network of 64 bits, the least
/// that one site has for itself (RFC 6177).
pub(super) fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(at) => at.to_string(),
        IpAddr::V6(at) => format!("{:x?}", &at.segments()[..4]),
    }
}

/// The site of an address: the address itself, or in IPv6 the 48 bits that a site is given (RFC 6177),
/// which are 65,536 networks of 64 bits.
pub fn site_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(at) => at.to_string(),
        IpAddr::V6(at) => format!("{:x?}", &at.segments()[..3]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_network_of_ipv6_count_as_one() {
        let at = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }

    #[test]
    fn all_networks_of_one_site_count_as_one_site() {
        let at = |text: &str| site_of(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:2:2::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
