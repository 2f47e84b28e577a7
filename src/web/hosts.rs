//! Which `Host` is this server's. A page of somebody else's that points its own name at this server
//! (DNS rebinding) would be of one origin with it, and a cache in front may keep what was made for
//! another name. Both need a name that anybody can register, so such names are believed only where
//! the operator has configured them.

use std::net::{IpAddr, Ipv6Addr};

use rocket::http::Status;

use super::problem::Problem;

/// Endings that nobody can register: special-use names (RFC 6761, RFC 6762, RFC 8375), the one that ICANN
/// keeps for private use (`internal`, 2024), and those that home networks use all the same (RFC 6762,
/// appendix G), which are not delegated.
const PRIVATE: [&str; 10] = [
    "localhost",
    "local",
    "home.arpa",
    "internal",
    "test",
    "lan",
    "home",
    "intranet",
    "private",
    "corp",
];

/// The names by which this server answers.
pub(super) struct Hosts {
    public: Option<Public>,
    /// The host name of the machine.
    machine: Option<String>,
}

/// The configured address.
struct Public {
    url: String,
    https: bool,
    host: Named<String>,
}

/// A host and perhaps a port, as in a `Host` header (RFC 9110, section 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named<T> {
    name: Name<T>,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name<T> {
    Address(IpAddr),
    /// In lower case, without the dot at its end.
    Dns(T),
}

impl Named<String> {
    fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (Name::Address(IpAddr::V6(address).to_canonical()), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (name, port) = text.split_at(end);
                (Name::parse(name)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { name, port })
    }

    /// Scheme and host of an `Origin` header or of an address without a path.
    fn parse_url(url: &str) -> Option<(bool, Self)> {
        let (https, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        Some((https, Self::parse(rest)?))
    }

    fn is_same(&self, other: &Self, https: bool) -> bool {
        let port = |named: &Self| named.port.unwrap_or(if https { 443 } else { 80 });
        self.name == other.name && port(self) == port(other)
    }
}

impl Name<String> {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address));
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        // A longer text is no name (RFC 1035, section 2.3.4). Containers have underscores.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = !text.is_empty() && text.len() <= 253 && text.bytes().all(plain);
        is_name.then(|| Self::Dns(text.to_ascii_lowercase()))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Dns(name) => is_below(name, "localhost"),
        }
    }

    /// Whether nobody can register this name and make it lead somewhere else.
    fn is_private(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Dns(name) => {
                !name.contains('.') || PRIVATE.iter().any(|ending| is_below(name, ending))
            }
        }
    }
}

fn is_below(name: &str, ending: &str) -> bool {
    let before = name.strip_suffix(ending);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

impl Hosts {
    /// With the configured address, where there is one.
    pub(super) fn new(public_url: Option<&str>) -> Self {
        let public = public_url.and_then(|url| {
            let (https, host) = Named::parse_url(url)?;
            let url = url.to_owned();
            Some(Public { url, https, host })
        });
        let machine = rustix::system::uname();
        let machine = machine.nodename().to_str().ok().and_then(Name::parse);
        Self {
            public,
            machine: machine.and_then(|name| match name {
                Name::Dns(name) => Some(name),
                Name::Address(_) => None,
            }),
        }
    }

    /// Whether a request with this `Host` is for this server. A request without one is: neither a
    /// browser nor a cache sends that, but some health checks of HTTP/1.0 do.
    ///
    /// # Errors
    /// 421, with what the operator can do about it.
    pub(super) fn admit(&self, host: Option<&str>) -> Result<(), Problem> {
        let Some(host) = host else { return Ok(()) };
        let named = Named::parse(host);
        match &named {
            Some(named) if self.believes(named) => Ok(()),
            _ => Err(self.refusal(named.as_ref())),
        }
    }

    fn believes(&self, host: &Named<String>) -> bool {
        if host.name.is_loopback() {
            return true;
        }
        match &self.public {
            // Proxies may leave the port out, as nginx does with `$host`.
            Some(public) => {
                host.is_same(&public.host, public.https)
                    || host.port.is_none() && host.name == public.host.name
            }
            None => host.name.is_private() || self.is_machine(&host.name),
        }
    }

    fn is_machine(&self, name: &Name<String>) -> bool {
        matches!(name, Name::Dns(name) if Some(name) == self.machine.as_ref())
    }

    /// Repeats the name that was asked for only where it is plain and the operator may want it.
    fn refusal(&self, named: Option<&Named<String>>) -> Problem {
        let detail = match (&self.public, named.and_then(plain)) {
            (Some(public), _) => format!(
                "This server is at {} and answers to no other name. If it has moved and it is yours, \
                 change its setting `public_url`.",
                public.url
            ),
            (None, Some(url)) => format!(
                "This server does not know that name. If server and name are yours, set \
                 `public_url = \"{url}\"` in Rocket.toml, or IMAGE_VAULT_PUBLIC_URL={url}, and start \
                 it again."
            ),
            (None, None) => "This server does not know the name in the `Host` header. Set \
                             `public_url` to the address that people type."
                .to_owned(),
        };
        Problem::new(Status::MisdirectedRequest, detail)
    }

    /// Whether an `Origin` header (RFC 6454, section 7) names this site, in a request for this
    /// host. Where an address is configured, only that and this machine's loopback count.
    pub(super) fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let Some((https, origin)) = Named::parse_url(origin) else {
            return false;
        };
        let public = self.public.as_ref();
        if public.is_some_and(|to| to.https == https && origin.is_same(&to.host, https)) {
            return true;
        }
        let by_host = host.and_then(Named::parse).filter(|host| {
            let only_loopback = public.is_some();
            origin.is_same(host, https) && (host.name.is_loopback() || !only_loopback)
        });
        by_host.is_some_and(|host| self.believes(&host))
    }

    /// For the operator: which names are believed.
    pub(super) fn in_words(&self) -> String {
        match (&self.public, &self.machine) {
            (Some(public), _) => format!(
                "answers to {}, and on this machine to localhost; to other names with 421",
                public.url
            ),
            (None, machine) => {
                let machine = machine.as_deref().unwrap_or("no name");
                let endings = PRIVATE.map(|ending| format!(".{ending}")).join(", ");
                format!(
                    "answers to addresses, to names without a dot, to this machine's ({machine}), and \
                     to those that end in {endings}; to others with 421 until `public_url` is set"
                )
            }
        }
    }
}

/// The address to configure for a name that anybody could have: a plain one (RFC 952, RFC 1123) only.
fn plain(host: &Named<String>) -> Option<String> {
    let Name::Dns(name) = &host.name else {
        return None;
    };
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let edges = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !edges
    };
    name.split('.').all(is_label).then(|| match host.port {
        Some(port) => format!("http://{name}:{port}"),
        None => format!("https://{name}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(public_url: Option<&str>) -> Hosts {
        Hosts {
            machine: Some("nas.example.net".into()),
            ..Hosts::new(public_url)
        }
    }

    fn answers(hosts: &Hosts, host: &str) -> bool {
        hosts.admit(Some(host)).is_ok()
    }

    #[test]
    fn nobody_can_make_a_page_of_what_is_believed_without_an_address() {
        let hosts = hosts(None);
        let ours = "localhost LOCALHOST:8000 a.localhost 127.0.0.1:8000 [::1]:8000 10.0.0.7 \
                    192.168.1.20:8000 203.0.113.9 [2001:db8::1] nas image_vault:8000 x pi.local \
                    Pi.Local. box.home.arpa a.b.internal a.lan a.test nas.example.net \
                    NAS.example.net:8000";
        for host in ours.split(' ') {
            assert!(answers(&hosts, host), "{host}");
        }
        let others = "evil.example pictures.example.org:8000 localhost.evil.example evil.notlocal \
                      127.0.0.1.nip.io 1.2.3 example.net x.nas.example.net user@localhost \
                      localhost:x localhost:99999 localhost:+1 [::1 [x] [::1]x <script> local.evil \
                      .. evil.example/.local evil.example\\.local";
        for host in others.split(' ').chain(["", "a b"]) {
            assert!(!answers(&hosts, host), "{host}");
        }
        assert!(hosts.admit(None).is_ok());
    }

    #[test]
    fn with_an_address_it_is_that_and_loopback() {
        let https = hosts(Some("https://Pictures.example.org"));
        let ours = "pictures.example.org PICTURES.example.org. pictures.example.org:443 \
                    localhost:8000 127.0.0.9 [::1]:8000 x.localhost";
        for host in ours.split(' ') {
            assert!(answers(&https, host), "{host}");
        }
        let others = "pictures.example.org:80 pictures.example.org:8000 example.org nas pi.local \
                      10.0.0.7 nas.example.net a.pictures.example.org evil.example";
        for host in others.split(' ') {
            assert!(!answers(&https, host), "{host}");
        }
        let port = hosts(Some("http://192.0.2.1:8000"));
        assert!(answers(&port, "192.0.2.1:8000") && answers(&port, "192.0.2.1"));
        assert!(!answers(&port, "192.0.2.1:80") && !answers(&port, "192.0.2.2:8000"));
    }

    #[test]
    fn the_sentence_names_what_to_set() {
        let detail = |hosts: &Hosts, host| {
            let problem = hosts.admit(Some(host)).unwrap_err();
            assert_eq!(problem.status(), Status::MisdirectedRequest);
            problem.detail().to_owned()
        };
        let unset = hosts(None);
        let said = detail(&unset, "Pictures.Example.org");
        assert!(
            said.contains("`public_url = \"https://pictures.example.org\"`"),
            "{said}"
        );
        let said = detail(&unset, "a.example.org:8000");
        assert!(said.contains("\"http://a.example.org:8000\""), "{said}");
        for odd in ["<b>.example", "-a.example", "a..example", "a_b.example"] {
            let said = detail(&unset, odd);
            assert!(
                said.contains("public_url") && !said.contains("example"),
                "{said}"
            );
        }
        let set = hosts(Some("https://pictures.example.org"));
        let said = detail(&set, "evil.example");
        assert!(said.contains("public_url") && said.contains("https://pictures.example.org"));
        assert!(!said.contains("evil"), "{said}");
    }

    #[test]
    fn an_origin_is_ours_by_the_address_or_by_a_host_that_is_believed() {
        let unset = hosts(None);
        assert!(unset.is_own_origin("http://10.0.0.7:8000", Some("10.0.0.7:8000")));
        assert!(unset.is_own_origin("https://nas", Some("nas")));
        assert!(!unset.is_own_origin("http://10.0.0.7:8001", Some("10.0.0.7:8000")));
        assert!(!unset.is_own_origin("http://evil.example", Some("evil.example")));
        assert!(!unset.is_own_origin("null", Some("nas")));
        assert!(!unset.is_own_origin("http://nas", None));
        let set = hosts(Some("https://pictures.example.org"));
        assert!(set.is_own_origin("https://pictures.example.org", Some("anything")));
        assert!(set.is_own_origin("http://localhost:8000", Some("localhost:8000")));
        let plain = "http://pictures.example.org";
        assert!(!set.is_own_origin(plain, Some("pictures.example.org")));
        assert!(!set.is_own_origin("https://pictures.example.org:8443", None));
    }

    proptest! {
        #[test]
        fn any_host_is_read_and_none_is_echoed_unless_plain(host in "\\PC{0,40}|[a-c.:\\[\\]@<0-9-]{0,20}") {
            for hosts in [hosts(None), hosts(Some("https://pictures.example.org"))] {
                if let Err(problem) = hosts.admit(Some(&host)) {
                    prop_assert!(!problem.detail().contains(['<', '>', '@', '&', '\n']));
                }
                hosts.is_own_origin(&host, Some(&host));
            }
        }

        /// However it is written, a name below a public one is a stranger's.
        #[test]
        fn names_that_can_be_registered_are_strangers(
            before in "[a-z0-9.-]{0,12}",
            port in prop::option::of(0..=u16::MAX),
        ) {
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            let host = format!("{before}.evil.example{port}");
            prop_assert!(!answers(&hosts(None), &host));
            prop_assert!(!answers(&hosts(Some("https://pictures.example.org")), &host));
        }
    }
}
