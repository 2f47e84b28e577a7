//! The client at the other end of a request: its address, and the kind of client it says it is.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};

use super::site::Site;
use crate::vault::Caller;

/// Words in a `User-Agent`, and what people call that browser. The first that occurs counts:
/// browsers name their forebears as well.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "A Python program"),
    ("Wget/", "Wget"),
];
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Caller {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let agent = request.headers().get_one("User-Agent").unwrap_or_default();
        Outcome::Success(Self {
            device: device(agent),
            address: address(request),
        })
    }
}

/// "Firefox on Linux". Never a part of the header: it would be shown, and may be of any length.
fn device(agent: &str) -> String {
    let named = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(word, _)| agent.contains(word));
        found.map(|(_, name)| *name)
    };
    match (named(BROWSERS), named(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => "A program".to_owned(),
    }
}

/// The connection's own address; where that is a trusted proxy's, the last one that the proxies
/// name and that is none of theirs. The names before that one anybody could have sent.
fn address(request: &Request<'_>) -> Option<IpAddr> {
    let connection = request.remote()?.ip().to_canonical();
    let proxies = &request.rocket().state::<Site>()?.trusted_proxies;
    let forwarded = request.headers().get("X-Forwarded-For");
    let lines: Vec<&str> = forwarded.collect();
    Some(origin(connection, &lines, proxies))
}

/// Goes back from the last name as long as names are proxies'; the rest is not even looked at.
fn origin(connection: IpAddr, lines: &[&str], proxies: &[IpNet]) -> IpAddr {
    let mut origin = connection;
    for text in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !proxies.iter().any(|net| net.contains(&origin)) {
            break;
        }
        let Some(before) = named_address(text.trim()) else {
            break;
        };
        origin = before;
    }
    origin
}

/// Some proxies name the port as well.
fn named_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|at: SocketAddr| at.ip()).ok();
    let at: IpAddr = text.parse().ok().or_else(with_port)?;
    Some(at.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_called_what_people_call_them() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/140.0.0.0 Mobile Safari/537.36";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        assert_eq!(device(firefox), "Firefox on Linux");
        assert_eq!(device(chrome), "Chrome on Android");
        assert_eq!(device(safari), "Safari on iPhone");
        assert_eq!(device("curl/8.5.0"), "curl");
        assert_eq!(device(""), "A program");
        assert_eq!(device("<script>alert(1)</script>"), "A program");
    }

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = ["10.0.0.5/32".parse().unwrap(), "::1/128".parse().unwrap()];
        let seen = |connection: &str, named: &[&str]| origin(at(connection), named, &proxies);
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), at("203.0.113.9"));
        assert_eq!(
            seen("10.0.0.5", &["1.2.3.4", "198.51.100.1"]),
            at("198.51.100.1")
        );
        assert_eq!(
            seen("::1", &["1.2.3.4, 198.51.100.1,10.0.0.5", "::1"]),
            at("198.51.100.1")
        );
        assert_eq!(
            seen("::1", &["198.51.100.1", "10.0.0.5"]),
            at("198.51.100.1")
        );
        assert_eq!(seen("10.0.0.5", &["198.51.100.1:443"]), at("198.51.100.1"));
        assert_eq!(seen("10.0.0.5", &["[2001:db8::7]:443"]), at("2001:db8::7"));
        assert_eq!(
            seen("10.0.0.5", &["::ffff:198.51.100.1"]),
            at("198.51.100.1")
        );
        assert_eq!(seen("10.0.0.5", &["unknown"]), at("10.0.0.5"));
        assert_eq!(seen("10.0.0.5", &[]), at("10.0.0.5"));
    }
}
