//! `/theme`: light, dark, or as the system has it.

use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::response::Redirect;
use rocket::time::Duration;
use rocket::{FromForm, FromFormField, State};

use super::super::forms::Posted;
use super::super::site::{Site, THEME_COOKIE};
use super::sign_in::own_path;

#[derive(FromFormField)]
enum Choice {
    Light,
    Dark,
    System,
}

#[derive(FromForm)]
struct Switch {
    theme: Choice,
    /// The page that the form was on.
    back: Option<String>,
}

#[rocket::post("/theme", data = "<form>")]
fn switch(form: Posted<Switch>, jar: &CookieJar<'_>, site: &State<Site>) -> Redirect {
    let Posted(Switch { theme, back }) = form;
    let (value, max_age) = match theme {
        Choice::Light => ("light", Duration::days(365)),
        Choice::Dark => ("dark", Duration::days(365)),
        Choice::System => ("", Duration::ZERO),
    };
    // No secret: nothing but the colours of the next page depends on it.
    let cookie = Cookie::build((THEME_COOKIE, value))
        .path("/")
        .http_only(true)
        .secure(site.secure)
        .same_site(SameSite::Lax)
        .max_age(max_age);
    jar.add(cookie);
    Redirect::to(own_path(back.as_deref()).to_owned())
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![switch]
}
