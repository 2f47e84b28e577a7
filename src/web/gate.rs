//! What is turned away before any guard, handler or catcher looks at it: a head that is too large, and
//! a request for a host that is not this one.
//!
//! Rocket reads some headers in ways whose memory grows with the square of their length, so none is
//! read before all are measured. What comes through costs little and grows evenly, whatever it says.

use rocket::Data;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::uri::Origin;
use rocket::http::{Method, Status};
use rocket::request::Request;

use super::problem::Problem;
use super::site::Site;

/// Most bytes of one header, its name included, and of an address: what nginx takes of either.
const MAX_ONE: usize = 8 << 10;
/// Most bytes of all headers together, as nginx has it (`large_client_header_buffers 4 8k`).
const MAX_ALL: usize = 32 << 10;

/// Below these everybody is served, by whatever name: who watches the server may know its number only,
/// and what the page that says no looks like is the same for all.
const FOR_ANY_HOST: [&str; 2] = ["/health/", "/static/"];

/// Turns requests away. Attached first, so that no other fairing has seen them.
pub(super) struct Gate;

#[rocket::async_trait]
impl Fairing for Gate {
    fn info(&self) -> Info {
        Info {
            name: "gate",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if let Err(problem) = admit(request) {
            request.local_cache(|| problem);
            // No route takes this method, so the catcher answers, with what was said here.
            request.set_method(Method::Options);
            request.set_uri(Origin::ROOT);
        }
    }
}

/// Whether a request may come in.
///
/// # Errors
/// 431 and 414 where it is too large; 400 and 421 where it is for another host.
pub(super) fn admit(request: &Request<'_>) -> Result<(), Problem> {
    let sizes = request.headers().iter();
    measure(
        sizes.map(|header| header.name().as_str().len() + header.value().len()),
        request.uri().path().len() + request.uri().query().map_or(0, |query| query.len()),
    )?;
    let path = request.uri().path();
    let Some(site) = request.rocket().state::<Site>() else {
        return Ok(());
    };
    if FOR_ANY_HOST.iter().any(|below| path.starts_with(below)) {
        return Ok(());
    }
    let mut named = request.headers().get("Host");
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(Problem::new(
            Status::BadRequest,
            "A request has one `Host` header, and this one has several.",
        )),
        (host, None) => site.hosts.admit(host),
    }
}

fn measure(headers: impl Iterator<Item = usize>, address: usize) -> Result<(), Problem> {
    if address > MAX_ONE {
        let detail = "This address is too long: it may have 8 KiB.";
        return Err(Problem::new(Status::UriTooLong, detail));
    }
    let mut all = 0;
    for size in headers {
        all += size;
        if size > MAX_ONE || all > MAX_ALL {
            let detail = "The headers of this request are too large: each may have 8 KiB, and all \
                          together 32 KiB. In a browser, delete this site's cookies and try again.";
            return Err(Problem::new(Status::RequestHeaderFieldsTooLarge, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[usize], address: usize) -> Option<u16> {
        let measured = measure(headers.iter().copied(), address);
        measured.err().map(|problem| problem.status().code)
    }

    #[test]
    fn what_is_just_small_enough_comes_in() {
        assert_eq!(status(&[], 1), None);
        assert_eq!(status(&[MAX_ONE; 4], MAX_ONE), None);
        assert_eq!(status(&[10; 100], 1), None);
    }

    #[test]
    fn a_byte_more_does_not() {
        assert_eq!(status(&[MAX_ONE + 1], 1), Some(431));
        assert_eq!(
            status(&[MAX_ONE, MAX_ONE, MAX_ONE, MAX_ONE, 1], 1),
            Some(431)
        );
        assert_eq!(status(&[], MAX_ONE + 1), Some(414));
    }
}
