//! The HTTP contract, from outside: every test starts the real program on a store of its own and
//! talks to it as a client would. A module per noun; nothing here knows the source.
//!
//! Each story is told on both stores. MongoDB's half needs `IMAGE_VAULT_TEST_MONGODB`, as
//! `scripts/mongod run -- cargo test` sets it; without it `mongodb::suite_is_included` says so.
#![allow(
    clippy::unwrap_used,
    reason = "a test's steps fail by panicking; clippy knows test functions only"
)]

/// Makes each story a test on both stores: `embedded::a_story` and `mongodb::a_story`.
macro_rules! on_both_stores {
    ($($story:ident),+ $(,)?) => {
        mod embedded {
            $(#[test]
            fn $story() {
                super::$story(&crate::store::Backend::Embedded);
            })+
        }
        mod mongodb {
            $(#[test]
            fn $story() {
                if let Some(backend) = crate::store::Backend::mongodb() {
                    super::$story(&backend);
                }
            })+
        }
    };
}

mod answer;
mod browser;
mod client;
mod codes;
mod html;
#[path = "../media/png.rs"]
mod png_chunks;
mod samples;
mod server;
mod store;

mod accounts;
mod app;
mod archives;
mod authority;
mod bad_requests;
mod bad_uploads;
mod budgets;
mod bulk;
mod conventions;
mod crash;
mod credentials;
mod csrf;
mod damage;
mod deleting;
mod devices;
mod editing;
mod exporting;
mod factors;
mod heads;
mod hostile_forms;
mod hosts;
mod import_command;
mod importing;
mod leaving;
mod listing;
mod memory;
mod names;
mod operations;
mod originals;
mod outage;
mod ownership;
mod page_account;
mod page_accounts;
mod page_factors;
mod page_selection;
mod page_vault;
mod passkeys;
mod pictures;
mod profile;
mod quotas;
mod readme;
mod registration;
mod rotation;
mod scopes;
mod secrecy;
mod sessions;
mod setup;
mod shutdown;
mod slow;
mod strength;
mod theme;
mod throttling;
mod timeline;
mod times;
mod tokens;
mod transfers;
mod unread;
mod uploads;
mod weighty;

mod mongodb {
    use std::io::Write;

    use crate::store::Backend;

    /// Says so where half of the suite does nothing, past the test runner's capture of output.
    #[test]
    fn suite_is_included() {
        if Backend::mongodb().is_some() {
            return;
        }
        assert!(
            std::env::var_os("IMAGE_VAULT_TEST_ALL").is_none(),
            "IMAGE_VAULT_TEST_MONGODB is not set: run under `scripts/mongod run --`"
        );
        let note = "LEFT OUT: the HTTP suite on MongoDB (run under `scripts/mongod run --`)\n";
        std::io::stderr().write_all(note.as_bytes()).unwrap();
    }
}
