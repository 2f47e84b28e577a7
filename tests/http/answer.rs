//! A whole answer, and what the contract says about every one of them.

use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Status, headers and all bytes of the body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    what: String,
}

impl Answer {
    /// Sends a request and reads the answer to its end.
    #[track_caller]
    pub(super) fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The same where the transfer may fail.
    pub(super) fn try_to(request: RequestBuilder) -> reqwest::Result<Self> {
        Self::read(request.send()?)
    }

    fn read(response: Response) -> reqwest::Result<Self> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            what: response.url().path().to_owned(),
            body: response.bytes()?.to_vec(),
        })
    }

    /// A header's text; empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// This status, or the test ends with the body.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        let Self { what, headers, .. } = &self;
        assert_eq!(self.status, status, "{what}: {headers:#?}\n{}", self.text());
        self
    }

    /// The body of an answer with this status, as JSON.
    #[track_caller]
    pub(super) fn json(self, status: u16) -> Value {
        let answer = self.expect(status);
        let kind = answer.header("Content-Type");
        assert!(
            kind.starts_with("application/json"),
            "{}: {kind}",
            answer.what
        );
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The body of an error with this status: RFC 9457, with all four members and a sentence.
    #[track_caller]
    pub(super) fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        let kind = answer.header("Content-Type").to_owned();
        assert!(
            kind.starts_with("application/problem+json"),
            "{}: {kind}",
            answer.what
        );
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["type", "title", "detail"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member} in {problem}");
        }
        problem
    }

    /// The message for one field of a 422 (or 409).
    #[track_caller]
    pub(super) fn field_error(self, status: u16, field: &str) -> String {
        let problem = self.problem(status);
        let message = problem["errors"][field].as_str();
        message
            .unwrap_or_else(|| panic!("no message for {field} in {problem}"))
            .to_owned()
    }
}
