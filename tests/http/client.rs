//! A program that uses the API: without credentials or with a bearer token.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use super::answer::Answer;

/// Of every account of the tests.
pub(super) const PASSWORD: &str = "correct horse battery staple";

/// A client of the API. Clones share connections.
#[derive(Clone)]
pub(super) struct Client {
    base: Arc<RwLock<String>>,
    http: reqwest::blocking::Client,
    /// The bearer token; empty without credentials.
    pub(super) token: String,
}

impl Client {
    pub(super) fn anonymous(base: Arc<RwLock<String>>) -> Self {
        Self {
            base,
            http: connection(),
            token: String::new(),
        }
    }

    /// The same with a token.
    pub(super) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Registers an account and signs it in.
    #[track_caller]
    pub(super) fn registered(&self, name: &str) -> Self {
        self.register(name, &format!("{name}@example.org"), PASSWORD)
            .json(201);
        self.signed_in(name, PASSWORD)
    }

    /// Signs an existing account in.
    #[track_caller]
    pub(super) fn signed_in(&self, login: &str, password: &str) -> Self {
        let session = self.login(login, password).json(201);
        self.with_token(session["token"].as_str().unwrap())
    }

    #[track_caller]
    pub(super) fn register(&self, username: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "email": email, "password": password });
        self.post("/api/v1/accounts", &body)
    }

    #[track_caller]
    pub(super) fn login(&self, login: &str, password: &str) -> Answer {
        self.post(
            "/api/v1/sessions",
            &json!({ "login": login, "password": password }),
        )
    }

    /// A request with this client's credentials, to be completed and sent.
    pub(super) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.base.read().unwrap());
        let request = self.http.request(method, url);
        match self.token.as_str() {
            "" => request,
            token => request.bearer_auth(token),
        }
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path))
    }

    #[track_caller]
    pub(super) fn head(&self, path: &str) -> Answer {
        Answer::to(self.request("HEAD", path))
    }

    /// With one header.
    #[track_caller]
    pub(super) fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        Answer::to(self.request("GET", path).header(name, value))
    }

    #[track_caller]
    pub(super) fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request("DELETE", path))
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request("POST", path).json(body))
    }

    #[track_caller]
    pub(super) fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request("PUT", path).json(body))
    }

    #[track_caller]
    pub(super) fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request("PATCH", path).json(body))
    }

    /// Sends a file as a raw body.
    #[track_caller]
    pub(super) fn upload(&self, name: &str, bytes: &[u8]) -> Answer {
        Answer::to(self.upload_request(name, bytes))
    }

    /// The same, not sent yet.
    pub(super) fn upload_request(&self, name: &str, bytes: &[u8]) -> RequestBuilder {
        let request = self
            .request("POST", "/api/v1/images")
            .query(&[("name", name)]);
        request
            .header("Content-Type", "application/octet-stream")
            .body(bytes.to_vec())
    }

    /// Uploads what must be taken, and gives the new image's id.
    #[track_caller]
    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> String {
        id(&self.upload(name, bytes).json(201))
    }

    /// One image.
    #[track_caller]
    pub(super) fn image(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/images/{id}")).json(200)
    }

    /// A page of the list, with this query string.
    #[track_caller]
    pub(super) fn list(&self, query: &str) -> Value {
        self.get(&format!("/api/v1/images?{query}")).json(200)
    }

    /// The names in a page of the list.
    #[track_caller]
    pub(super) fn names(&self, query: &str) -> Vec<String> {
        names(&self.list(query))
    }

    /// The exact bytes that were uploaded.
    #[track_caller]
    pub(super) fn original(&self, id: &str) -> Vec<u8> {
        self.get(&original(id)).expect(200).body
    }

    /// Makes an archive and gives its ticket.
    #[track_caller]
    pub(super) fn archive(&self, body: &Value) -> Value {
        self.post("/api/v1/archives", body).json(201)
    }
}

/// One that never follows a redirect and shares nothing with the environment.
pub(super) fn connection() -> reqwest::blocking::Client {
    let builder = reqwest::blocking::Client::builder().no_proxy();
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    builder.timeout(Duration::from_secs(120)).build().unwrap()
}

pub(super) fn original(id: &str) -> String {
    format!("/api/v1/images/{id}/original")
}

/// The `id` of an object.
pub(super) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// The `name` of each of a list's items.
pub(super) fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}
