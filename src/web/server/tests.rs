//! The listener with a Rocket of one route: tests that need no vault.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rocket::config::TlsConfig;
use rocket::http::Header;
use rocket::request::{FromRequest, Outcome, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::*;

const PATIENCE: Patience = Patience {
    head: Duration::from_millis(500),
    send: Duration::from_millis(500),
    grace: Duration::ZERO,
};

/// The lines of `Accept`, as a handler sees them.
struct Accepted(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Accepted {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let lines: Vec<_> = request.headers().get("Accept").collect();
        Outcome::Success(Self(lines.join("|")))
    }
}

#[derive(rocket::Responder)]
struct Told(String, Header<'static>);

#[rocket::get("/")]
fn accepted(lines: Accepted) -> Told {
    Told(lines.0, Header::new("X-Is", "here"))
}

/// Starts a server; returns the address it listens on.
async fn serving(tls: Option<TlsConfig>) -> Result<SocketAddr, ServeError> {
    let figment = rocket::Config::figment()
        .merge(("address", "127.0.0.1"))
        .merge(("port", 0))
        .merge(("log_level", "off"))
        .merge(("tls", tls));
    let rocket = rocket::custom(figment).mount("/", rocket::routes![accepted]);
    let server = Server::bind(rocket, PATIENCE, Places::new(16, &[])).await?;
    let address = server.address().unwrap();
    tokio::spawn(server.run(Requests::listen().unwrap()));
    Ok(address)
}

async fn ask(mut link: impl AsyncRead + AsyncWrite + Unpin, headers: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    link.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    link.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn several_lines_of_accept_are_one_list() {
    let address = serving(None).await.unwrap();
    let link = TcpStream::connect(address).await.unwrap();
    let answer = ask(link, "Accept: a/b\r\nX: y\r\naccept: text/html, c/d\r\n").await;
    assert!(answer.contains("x-is: here\r\n"), "{answer}");
    assert!(answer.contains("\r\na/b, text/html, c/d\r\n"), "{answer}");
}

#[tokio::test]
async fn with_a_certificate_https_is_spoken_and_nothing_else() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (cert.pem(), signing_key.serialize_pem());
    let tls = TlsConfig::from_bytes(pem.as_bytes(), key.as_bytes());
    let address = serving(Some(tls)).await.unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let link = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let link = connector
        .connect("localhost".try_into().unwrap(), link)
        .await;
    let answer = ask(link.unwrap(), "Accept: a/b\r\n").await;
    assert!(answer.contains("\r\na/b\r\n"), "{answer}");

    // Neither a client without TLS nor a silent one holds a place.
    for said in ["GET / HTTP/1.1\r\n\r\n", ""] {
        let mut link = TcpStream::connect(address).await.unwrap();
        link.write_all(said.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let ended = timeout(10 * PATIENCE.head, link.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{said:?}");
        assert!(!rest.starts_with(b"HTTP"), "{said:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_keeps_the_server_from_starting() {
    for (certs, key) in [("", ""), ("certs", "key")] {
        let tls = TlsConfig::from_bytes(certs.as_bytes(), key.as_bytes());
        let error = serving(Some(tls)).await.unwrap_err().to_string();
        assert!(error.contains("for TLS"), "{error}");
    }
    let missing = TlsConfig::from_paths("/nowhere/certs.pem", "/nowhere/key.pem");
    let error = serving(Some(missing)).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}
