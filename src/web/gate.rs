//! Turns requests away before Rocket sees them: a head that is too large, and a request for a host
//! that is not this one.
//!
//! Rocket reads some headers in ways whose memory grows with the square of their length, so none is
//! read before all are measured. A request that passes costs little memory, which grows evenly with
//! its length, whatever it says.

use hyper::header::HOST;
use hyper::http::request::Parts;
use rocket::http::Status;

use super::problem::Problem;
use super::site::Site;

/// Most bytes of one header, its name included, and of an address: what nginx takes of either.
pub(super) const MAX_ONE: usize = 8 << 10;
/// Most bytes of all headers together, as nginx has it (`large_client_header_buffers 4 8k`).
const MAX_ALL: usize = 32 << 10;

/// Paths below which requests for any host are served: a monitor may know the server by its address
/// only, and the assets of the page that refuses are the same for all.
const FOR_ANY_HOST: [&str; 2] = ["/health/", "/static/"];

/// Whether a request may come in.
///
/// # Errors
/// 431 and 414 where it is too large; 400 where its address is malformed, and 400 and 421 where it
/// is for another host.
pub(super) fn admit(head: &Parts, site: Option<&Site>) -> Result<(), Problem> {
    let sizes = head.headers.iter();
    measure(
        sizes.map(|(name, value)| name.as_str().len() + value.len()),
        head.uri.path().len() + head.uri.query().map_or(0, str::len),
    )?;
    let path = head.uri.path();
    if !path.starts_with('/') {
        return Err(Problem::of(Status::BadRequest));
    }
    let Some(site) = site else {
        return Ok(());
    };
    if FOR_ANY_HOST.iter().any(|below| path.starts_with(below)) {
        return Ok(());
    }
    // Where the address names a host as well, that counts (RFC 9112, section 3.2.2); both must be
    // ours.
    if let Some(authority) = head.uri.authority() {
        site.hosts.admit(Some(authority.as_str()))?;
    }
    let mut named = head.headers.get_all(HOST).iter();
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(Problem::new(
            Status::BadRequest,
            "A request has one `Host` header, and this one has several.",
        )),
        // A value that is no text is nobody's name.
        (Some(host), None) => site.hosts.admit(Some(host.to_str().unwrap_or("?"))),
        (None, None) => site.hosts.admit(None),
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
