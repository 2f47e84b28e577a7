//! Image Vault keeps private pictures sealed under keys which only their owners hold.
//!
//! An arrow only points down (`tests/architecture.rs` keeps it so):
//!
//! ```text
//!                  cli                     chooses backends, starts things, exits
//!              web     worker              speak HTTP / run what nobody waits for
//!                 vault                    what the product does
//!                 store                    two traits, two backends
//!  ids   config   error   crypto   media   archive      pure: no I/O, no async
//! ```
//!
//! `docs/ARCHITECTURE.md` walks through it; `docs/CRYPTO.md` has every byte of the formats.

pub mod ids;

pub mod archive;
pub mod config;
pub mod crypto;
pub mod error;
pub mod media;

pub mod store;

pub mod vault;

pub mod web;
pub mod worker;

pub mod cli;
