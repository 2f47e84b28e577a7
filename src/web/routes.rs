//! Looking an address up in the table of routes.

use rocket::http::Method;
use rocket::request::Request;

/// The methods that the address of a request has.
pub(super) fn methods(request: &Request<'_>) -> Vec<Method> {
    let path = request.uri().path();
    let routes = request.rocket().routes();
    routes
        .filter(|route| fits(route.uri.path(), path.as_str()))
        .map(|route| route.method)
        .collect()
}

/// Whether a path has the shape of a route's template.
fn fits(template: &str, path: &str) -> bool {
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    for segment in template.split('/').filter(|segment| !segment.is_empty()) {
        if segment.ends_with("..>") {
            return true;
        }
        match given.next() {
            Some(given) if segment.starts_with('<') || segment == given => {}
            _ => return false,
        }
    }
    given.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_fit_their_paths_only() {
        assert!(fits("/api/v1/images/<id>", "/api/v1/images/abc"));
        assert!(fits("/static/<hash>/<path..>", "/static/x/js/main.js"));
        assert!(!fits("/api/v1/images/<id>", "/api/v1/images"));
        assert!(!fits("/api/v1/images/<id>", "/api/v1/images/abc/original"));
    }
}
