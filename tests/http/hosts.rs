//! Which `Host` is answered to: the configured address and loopback; without one, what nobody can
//! register.

use std::process::Command;

use super::client::Client;
use super::heads::ask;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    only_believed_hosts_are_answered_to,
    the_refusal_says_what_to_set_and_never_echoes_markup,
    health_checks_and_assets_need_no_name,
    an_invitation_leads_to_the_address_that_is_configured_or_was_believed,
    doctor_says_which_hosts_are_believed,
);

const PUBLIC: &str = "https://pictures.example.org";
/// Hosts, and whether they are answered to with and without [`PUBLIC`].
const TABLE: [(&str, bool, bool); 16] = [
    ("localhost", true, true),
    ("LocalHost:9999", true, true),
    ("vault.localhost:8000", true, true),
    ("127.0.0.1:8000", true, true),
    ("[::1]:8000", true, true),
    ("pictures.example.org", true, false),
    ("Pictures.Example.ORG:443", true, false),
    ("pictures.example.org:8000", false, false),
    ("192.168.1.20:8000", false, true),
    ("[2001:db8::1]:8000", false, true),
    ("nas:8000", false, true),
    ("nas.local", false, true),
    ("nas.home.arpa:8000", false, true),
    ("evil.example", false, false),
    ("127.0.0.1.evil.example:8000", false, false),
    ("localhost@evil.example", false, false),
];

fn get(server: &Server, path: &str, headers: &str) -> (u16, String) {
    let head = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    ask(server, &head)
}

fn only_believed_hosts_are_answered_to(backend: &Backend) {
    let unset = Server::start(backend);
    let set = Server::with(backend, &[("PUBLIC_URL", PUBLIC)]);
    for (host, with, without) in TABLE {
        for (server, believed) in [(&set, with), (&unset, without)] {
            for (path, usual) in [("/login", 200), ("/api/v1/session", 401), ("/nowhere", 404)] {
                let (status, answer) = get(server, path, &format!("Host: {host}\r\n"));
                let expected = if believed { usual } else { 421 };
                assert_eq!(status, expected, "{host}: {answer}");
            }
        }
    }
    for server in [&set, &unset] {
        let old = "GET /login HTTP/1.0\r\n\r\n";
        assert_eq!(
            ask(server, old).0,
            200,
            "no cache and no browser sends that"
        );
        let two = "Host: localhost\r\nHost: evil.example\r\n";
        assert_eq!(get(server, "/login", two).0, 400);
    }
}

fn the_refusal_says_what_to_set_and_never_echoes_markup(backend: &Backend) {
    let unset = Server::start(backend);
    let set = Server::with(backend, &[("PUBLIC_URL", PUBLIC)]);
    let said = |server: &Server, host: &str| {
        let (status, document) = get(server, "/login", &format!("Host: {host}\r\n"));
        assert_eq!(status, 421, "{document}");
        assert!(document.contains("application/problem+json"), "{document}");
        assert!(document.contains("public_url"), "{document}");
        let html = format!("Host: {host}\r\nAccept: text/html\r\n");
        let (status, page) = get(server, "/login", &html);
        assert_eq!(status, 421, "{page}");
        assert!(
            page.contains("<h1") && page.contains("public_url"),
            "{page}"
        );
        assert!(
            page.to_lowercase().contains("cache-control: no-store"),
            "{page}"
        );
        document + &page
    };
    let plain = said(&unset, "photos.example.net");
    assert!(plain.contains("https://photos.example.net"), "{plain}");
    let foreign = said(&set, "evil.example");
    assert!(foreign.contains(PUBLIC), "{foreign}");
    assert!(!foreign.contains("evil"), "{foreign}");
    for markup in [
        "<script>evil</script>.example",
        "\"evil.example",
        "{{evil}}.example",
    ] {
        for server in [&set, &unset] {
            let foreign = said(server, markup);
            assert!(!foreign.contains("evil"), "{foreign}");
        }
    }
}

fn health_checks_and_assets_need_no_name(backend: &Backend) {
    let server = Server::with(backend, &[("PUBLIC_URL", PUBLIC)]);
    let foreign = "Host: evil.example\r\n";
    assert_eq!(get(&server, "/health/live", foreign).0, 200);
    assert_eq!(get(&server, "/health/ready", foreign).0, 200);
    let (_, page) = get(&server, "/login", "Host: localhost\r\n");
    let page = page.replace("&#x2F;", "/");
    let asset = page.split('"').find(|text| text.ends_with("/css/base.css"));
    assert_eq!(get(&server, asset.unwrap(), foreign).0, 200);
    for path in [
        "/health/../login",
        "//health/live/",
        "/static/../login",
        "/health",
        "/",
    ] {
        assert_ne!(get(&server, path, foreign).0, 200, "{path}");
    }
}

/// The URL of a new invitation, asked for by this host.
fn invited(server: &Server, admin: &Client, host: &str) -> (u16, String) {
    let head = format!(
        "POST /api/v1/admin/invitations HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
        admin.token
    );
    ask(server, &head)
}

fn an_invitation_leads_to_the_address_that_is_configured_or_was_believed(backend: &Backend) {
    let unset = Server::start(backend);
    let admin = unset.user("ada");
    let (_, answer) = invited(&unset, &admin, "nas.local:8000");
    assert!(
        answer.contains("\"http://nas.local:8000/register?"),
        "{answer}"
    );
    let (status, answer) = invited(&unset, &admin, "evil.example");
    assert_eq!(status, 421);
    assert!(!answer.contains("invitation="), "{answer}");
    let set = Server::with(backend, &[("PUBLIC_URL", PUBLIC)]);
    let admin = set.user("ada");
    let (_, answer) = invited(&set, &admin, "localhost:1234");
    assert!(
        answer.contains(&format!("\"{PUBLIC}/register?")),
        "{answer}"
    );
    assert_eq!(invited(&set, &admin, "evil.example").0, 421);
}

fn doctor_says_which_hosts_are_believed(backend: &Backend) {
    let doctor = |settings: &[(&str, &str)]| {
        let server = Server::prepared(backend, settings);
        let mut command: Command = server.command(&["doctor"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let unset = doctor(&[]);
    assert!(
        unset.contains("hosts") && unset.contains("until `public_url` is set"),
        "{unset}"
    );
    let set = doctor(&[("PUBLIC_URL", PUBLIC)]);
    assert!(set.contains(&format!("answers to {PUBLIC}")), "{set}");
}
