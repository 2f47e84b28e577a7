//! How this server is reached, and what follows from it for cookies and origins.

use ipnet::IpNet;
use rocket::http::uri::Host;
use rocket::http::{Cookie, SameSite};
use rocket::time::Duration;
use serde::Serialize;

use super::hosts::Hosts;
use super::units;
use crate::config::{Config, Registration};
use crate::media;
use crate::vault::MIN_PASSWORD_CHARS;
use crate::vault::SIGN_IN_WAITS;
use crate::vault::Started;
use crate::vault::Vault;
use crate::vault::Waiting;

/// The site's address and names.
pub(super) struct Site {
    /// Scheme, host and port under which users see the server, when configured.
    public_url: Option<String>,
    /// The names by which it answers.
    pub(super) hosts: Hosts,
    /// Whether browsers reach us by HTTPS only.
    pub(super) secure: bool,
    cookie_name: String,
    cookie_max_age: Duration,
    cookie_kept_age: Duration,
    pub(super) limits: Limits,
    pub(super) receive_stall: std::time::Duration,
    /// The proxies whose word about a request's address is taken.
    pub(super) trusted_proxies: Vec<IpNet>,
}

/// The limits of uploads, as pages tell them.
#[derive(Clone, Serialize)]
pub(super) struct Limits {
    pub(super) max_file: String,
    pub(super) max_megapixels: u64,
    pub(super) accept: String,
    pub(super) trash_days: u64,
    pub(super) min_password: usize,
    /// Whether administrators invite.
    pub(super) by_invitation: bool,
}

/// The cookie of a chosen theme, and the one in which Rocket keeps a message for the next page.
pub(super) const THEME_COOKIE: &str = "theme";
const FLASH_COOKIE: &str = "_flash";

/// What the cookie of a sign-in that waits has behind the name of the session cookie.
const WAITING: &str = "-step";

impl Site {
    /// The link of an invitation, at the address that is configured, or else the one that the
    /// administrator's own request came by, which the gate has admitted.
    pub(super) fn invitation_url(&self, token: &str, host: &Host<'_>) -> String {
        let here = || format!("http://{host}");
        let site = self.public_url.clone().unwrap_or_else(here);
        format!("{site}/register?invitation={token}")
    }

    /// From the configuration.
    pub(super) fn new(config: &Config, vault: &Vault) -> Self {
        let public_url = config.serving.public_url.clone();
        let secure = public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"));
        // Cookies are shared by all ports of a host, so without HTTPS the name tells instances
        // apart. `__Host-` makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis).
        let cookie_name = match secure {
            true => "__Host-iv".to_owned(),
            false => format!("iv-{}", vault.instance_tag()),
        };
        Self {
            hosts: Hosts::new(public_url.as_deref()),
            public_url,
            secure,
            cookie_name,
            cookie_max_age: Duration::try_from(config.sessions.absolute).unwrap_or(Duration::DAY),
            cookie_kept_age: Duration::try_from(config.sessions.keep).unwrap_or(Duration::DAY),
            limits: Limits {
                max_file: units::bytes(config.uploads.max_file_bytes),
                max_megapixels: config.uploads.max_pixels / 1_000_000,
                accept: media::ACCEPT.to_owned(),
                trash_days: config.storage.trash_keep.as_secs().div_ceil(24 * 60 * 60),
                min_password: MIN_PASSWORD_CHARS,
                by_invitation: config.registration == Registration::Invitation,
            },
            receive_stall: config.serving.receive_stall,
            trusted_proxies: config.serving.trusted_proxies.clone(),
        }
    }

    /// Name of the session cookie.
    pub(super) fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    /// Whether anything reads this `name=value` of a `Cookie` header.
    pub(super) fn reads_cookie(&self, cookie: &str) -> bool {
        let name = cookie
            .split_once('=')
            .map_or(cookie, |(name, _)| name.trim());
        let session = name.strip_suffix(WAITING).unwrap_or(name);
        [THEME_COOKIE, FLASH_COOKIE].contains(&name) || session == self.cookie_name
    }

    /// The cookie for a session's secret.
    pub(super) fn session_cookie(&self, started: &Started) -> Cookie<'static> {
        let max_age = match started.kept {
            true => self.cookie_kept_age,
            false => self.cookie_max_age,
        };
        self.cookie(started.token.to_string(), max_age)
    }

    /// The cookie that removes the session cookie.
    pub(super) fn removal_cookie(&self) -> Cookie<'static> {
        self.cookie(String::new(), Duration::ZERO)
    }

    /// Name of the cookie that a sign-in waits with for its second factor.
    pub(super) fn waiting_cookie_name(&self) -> String {
        format!("{}{WAITING}", self.cookie_name)
    }

    /// The cookie for a sign-in that waits.
    pub(super) fn waiting_cookie(&self, waiting: &Waiting) -> Cookie<'static> {
        let max_age = Duration::seconds(SIGN_IN_WAITS.as_secs());
        let mut cookie = self.cookie(waiting.token.to_string(), max_age);
        cookie.set_name(self.waiting_cookie_name());
        cookie
    }

    /// The cookie that removes that one.
    pub(super) fn waiting_removal_cookie(&self) -> Cookie<'static> {
        let mut cookie = self.removal_cookie();
        cookie.set_name(self.waiting_cookie_name());
        cookie
    }

    fn cookie(&self, value: String, max_age: Duration) -> Cookie<'static> {
        // Lax, not Strict: who follows a link to us must not look signed out. CSRF has its own check.
        Cookie::build((self.cookie_name.clone(), value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(max_age)
            .build()
    }
}
