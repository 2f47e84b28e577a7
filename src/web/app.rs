//! What makes the pages an app that a phone installs and shares pictures to: its manifest, its service
//! worker, and where a share arrives while no worker is there to take it.
//!
//! A share brings no CSRF token, so the server never stores what one brings: the worker keeps the
//! files in its memory, and the page uploads them as it uploads any others.

use rocket::http::{ContentType, Header};
use rocket::response::{Flash, Redirect, Responder};
use serde_json::json;

use super::assets;
use super::body::pass_by;
use super::budgets::Visitor;
use super::receive::Incoming;
use crate::media;

/// The page's colour in `tokens.css`, light; a manifest knows one only, and no CSS.
const PAPER: &str = "#fafcfd";

#[derive(Responder)]
struct AppFile<T> {
    content: T,
    kind: ContentType,
    cache: Header<'static>,
}

#[rocket::get("/manifest.webmanifest")]
fn manifest() -> AppFile<String> {
    let icon = |file: &str, purpose: &str| {
        let src = format!("{}/{file}", assets::base());
        json!({ "src": src, "type": "image/svg+xml", "sizes": "any", "purpose": purpose })
    };
    let pictures: Vec<&str> = media::ACCEPT.split(',').collect();
    let manifest = json!({
        "id": "/",
        "name": "Image Vault",
        "short_name": "Vault",
        "description": "Your pictures, sealed under a key that only you hold.",
        "lang": "en",
        "start_url": "/vault",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "categories": ["photo"],
        "icons": [icon("favicon.svg", "any"), icon("icon-maskable.svg", "maskable")],
        "share_target": {
            "action": "/share-target",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": { "files": [{ "name": "files", "accept": pictures }] },
        },
    });
    AppFile {
        content: manifest.to_string(),
        kind: ContentType::new("application", "manifest+json"),
        // The manifest names assets by this version's address.
        cache: Header::new("Cache-Control", "no-cache"),
    }
}

/// At the root, because a worker may only answer for what lies beside or below it.
#[rocket::get("/service-worker.js")]
fn service_worker() -> Option<AppFile<&'static [u8]>> {
    Some(AppFile {
        content: assets::bytes("js/service-worker.js")?,
        kind: ContentType::JavaScript,
        cache: Header::new("Cache-Control", "no-cache"),
    })
}

/// A share that no worker took. Nothing of it is kept.
#[rocket::post("/share-target")]
async fn share_target(_visitor: Visitor, share: Incoming) -> Flash<Redirect> {
    pass_by(share.body()).await;
    Flash::warning(
        Redirect::to("/vault"),
        "Nothing was added: sharing to the vault works once this page has been open on this device. \
         Now it has, so share the pictures once more.",
    )
}

/// The routes of this file.
pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![manifest, service_worker, share_target]
}
