//! A browser without scripts: pages, plain forms, cookies, and the headers that browsers add.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use reqwest::Method;
use reqwest::blocking::{RequestBuilder, multipart};

use super::answer::Answer;
use super::client::{PASSWORD, connection};
use super::html;

/// One browser, with its cookies and the token of the page it last showed.
pub(super) struct Browser {
    base: Arc<RwLock<String>>,
    http: reqwest::blocking::Client,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) csrf: String,
}

impl Browser {
    pub(super) fn new(base: Arc<RwLock<String>>) -> Self {
        let cookies = BTreeMap::new();
        Self {
            base,
            http: connection(),
            cookies,
            csrf: String::new(),
        }
    }

    /// Through the login form, and on to the vault.
    #[track_caller]
    pub(super) fn sign_in(&mut self, name: &str) {
        self.get("/login").expect(200);
        let answer = self.submit("/login", &[("login", name), ("password", PASSWORD)]);
        assert_eq!(answer.expect(303).header("Location"), "/vault");
        self.get("/vault").expect(200);
        assert!(!self.csrf.is_empty(), "the page has no CSRF token");
    }

    /// A request as this browser makes it on a page of ours.
    pub(super) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let origin = self.base.read().unwrap().clone();
        let request = self
            .bare(method, path)
            .header("Sec-Fetch-Site", "same-origin");
        match method {
            "GET" => request.header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            _ => request
                .header("Origin", origin)
                .header("Accept", "text/html,*/*;q=0.8"),
        }
    }

    /// With the cookies and nothing else.
    pub(super) fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.base.read().unwrap());
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let request = self.http.request(method, url);
        if pairs.is_empty() {
            request
        } else {
            request.header("Cookie", pairs.join("; "))
        }
    }

    /// Opens a page.
    #[track_caller]
    pub(super) fn get(&mut self, path: &str) -> Answer {
        let answer = Answer::to(self.request("GET", path));
        self.taken(answer)
    }

    /// Submits a form with these fields.
    #[track_caller]
    pub(super) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = Answer::to(self.request("POST", path).form(fields));
        self.taken(answer)
    }

    /// The same with the page's token.
    #[track_caller]
    pub(super) fn submit_signed(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.csrf.clone();
        let mut all = vec![("csrf_token", token.as_str())];
        all.extend(fields);
        self.submit(path, &all)
    }

    /// Submits the upload form with these files, each a name and bytes.
    #[track_caller]
    pub(super) fn upload(&mut self, files: &[(&str, &[u8])]) -> Answer {
        let mut form = multipart::Form::new().text("csrf_token", self.csrf.clone());
        for (name, bytes) in files {
            let part = multipart::Part::bytes(bytes.to_vec()).file_name(name.to_string());
            form = form.part("file", part);
        }
        let answer = Answer::to(self.request("POST", "/vault/upload").multipart(form));
        self.taken(answer)
    }

    /// Goes where a 303 leads, on this site.
    #[track_caller]
    pub(super) fn follow(&mut self, answer: Answer) -> Answer {
        let to = answer.expect(303).header("Location").to_owned();
        assert!(to.starts_with('/'), "a redirect to {to}");
        self.get(&to)
    }

    fn taken(&mut self, answer: Answer) -> Answer {
        for header in answer.headers.get_all("Set-Cookie") {
            let header = header.to_str().unwrap();
            let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") || value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = html::csrf_token(&answer.text()) {
            self.csrf = token;
        }
        answer
    }
}
