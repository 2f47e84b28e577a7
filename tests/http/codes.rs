//! What an authenticator app does: RFC 6238 with SHA-1, six digits and 30 seconds, from the secret
//! that the server showed. And the waits that its codes need.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::answer::Answer;
use super::client::{Client, PASSWORD};

const STEP_SECS: u64 = 30;

/// An app that was set up, and the spare codes that came with it.
pub(super) struct App {
    totp: Totp,
    pub(super) spare: Vec<String>,
}

impl App {
    /// From what the server shows.
    pub(super) fn new(secret: &str) -> Self {
        let secret = data_encoding::BASE32_NOPAD
            .decode(secret.replace(' ', "").as_bytes())
            .unwrap();
        let secret = Secret::new_stack(secret.try_into().unwrap());
        Self {
            totp: Builder::new().with_secret(secret).build().unwrap(),
            spare: Vec::new(),
        }
    }

    /// Sets an app up for the account of this client.
    #[track_caller]
    pub(super) fn set_up(client: &Client) -> Self {
        let begun = client
            .post("/api/v1/account/authenticator", &password())
            .json(201);
        let mut app = Self::new(begun["secret"].as_str().unwrap());
        let code = json!({ "totp": app.code(0) });
        let confirmed = client.post("/api/v1/account/authenticator/confirm", &code);
        app.spare = spare_codes(&confirmed.json(200));
        app
    }

    /// The code of so many steps from now.
    pub(super) fn code(&self, steps: i64) -> String {
        let at = now().saturating_add_signed(steps * STEP_SECS as i64);
        self.totp.generate(at).to_string()
    }

    /// The next code, which is taken already: one that nobody has used yet.
    pub(super) fn fresh(&self) -> String {
        self.code(1)
    }

    /// Six digits that are right at no time near.
    pub(super) fn wrong(&self) -> String {
        let near: Vec<String> = (-4..=4).map(|steps| self.code(steps)).collect();
        let mut all = (0..).map(|n| format!("{n:06}"));
        all.find(|code| !near.contains(code)).unwrap()
    }
}

/// Waits until a step has so many seconds left at least, so that what is done in them is done in one.
pub(super) fn wait_for_step(left_secs: u64) {
    while STEP_SECS - now() % STEP_SECS < left_secs {
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub(super) fn password() -> Value {
    json!({ "password": PASSWORD })
}

/// The password and a code.
pub(super) fn proof(code: &str) -> Value {
    json!({ "password": PASSWORD, "totp": code })
}

pub(super) fn spare_codes(body: &Value) -> Vec<String> {
    let codes = body["spare_codes"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Signs in with a code.
#[track_caller]
pub(super) fn login(client: &Client, code: &str) -> Answer {
    let body = json!({ "login": "ada", "password": PASSWORD, "totp": code });
    client.post("/api/v1/sessions", &body)
}
