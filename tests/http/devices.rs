//! GET /api/v1/sessions and DELETE /api/v1/sessions/{id}: the account's sign-ins.

use serde_json::Value;

use super::client::{Client, PASSWORD};
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::tokens;

on_both_stores!(
    the_owner_sees_each_sign_in_and_which_is_this_one,
    one_sign_in_is_ended_from_another,
    all_others_are_ended_at_once,
    nobody_elses_sign_in_can_be_ended,
    what_is_ended_or_revoked_stops_its_running_zip,
);

const SESSIONS: &str = "/api/v1/sessions";

fn items(client: &Client) -> Vec<Value> {
    let list = client.get(SESSIONS).json(200);
    let items = list["items"].as_array().unwrap().clone();
    assert_eq!(list["total"], items.len());
    items
}

fn id(session: &Value) -> &str {
    session["id"].as_str().unwrap()
}

fn the_owner_sees_each_sign_in_and_which_is_this_one(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    server.user("bob");
    let mut browser = server.signed_in("ada");
    let sessions = items(&client);
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["current"], true, "the asking one first");
    assert_eq!(sessions[1]["current"], false);
    for session in &sessions {
        for member in ["id", "device", "created_at", "last_seen_at", "expires_at"] {
            assert!(session[member].is_string(), "no {member} in {session}");
        }
        assert_eq!(session["address"], "127.0.0.1");
    }
    assert!(
        !serde_json::to_string(&sessions)
            .unwrap()
            .contains(&client.token)
    );
    let page = browser.get("/account/sessions").expect(200).text();
    assert!(page.contains("this one") && page.contains(id(&sessions[0])));
    server.anonymous().get(SESSIONS).problem(401);
}

/// R4.6.
fn one_sign_in_is_ended_from_another(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let lost = client.signed_in("ada", PASSWORD);
    let of_lost = items(&lost).remove(0);
    client
        .delete(&format!("{SESSIONS}/{}", id(&of_lost)))
        .expect(204);
    lost.get("/api/v1/session").problem(401);
    client.get("/api/v1/session").json(200);
    client
        .delete(&format!("{SESSIONS}/{}", id(&of_lost)))
        .problem(404);
    assert_eq!(items(&client).len(), 1);
}

fn all_others_are_ended_at_once(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let others: Vec<_> = (0..3).map(|_| client.signed_in("ada", PASSWORD)).collect();
    let bob = server.user("bob");
    client.delete(SESSIONS).expect(204);
    for other in others {
        other.get("/api/v1/session").problem(401);
    }
    for kept in [&client, &bob] {
        kept.get("/api/v1/session").json(200);
    }
}

/// R1.30: the same answer as for what never existed.
fn nobody_elses_sign_in_can_be_ended(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let foreign = items(&ada).remove(0);
    for id in [id(&foreign), &"a".repeat(26), "x"] {
        bob.delete(&format!("{SESSIONS}/{id}")).problem(404);
    }
    ada.get("/api/v1/session").json(200);
}

fn what_is_ended_or_revoked_stops_its_running_zip(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..6 {
        client.add(&format!("{seed}.bmp"), &samples::large(seed));
    }
    let lost = client.signed_in("ada", PASSWORD);
    let program = tokens::program(&client, &["read"]);
    let mut running = [&lost, &program].map(|who| {
        let ticket = who.archive(&serde_json::json!({ "all": true }));
        let url = ticket["url"].as_str().unwrap();
        let mut answer = who.request("GET", url).send().unwrap();
        std::io::Read::read_exact(&mut answer, &mut [0; 4096]).unwrap();
        (answer, ticket["size"].as_u64().unwrap())
    });
    client.delete(SESSIONS).expect(204);
    let token = tokens::listed(&client).remove(0);
    client
        .delete(&format!("{}/{}", tokens::TOKENS, id(&token)))
        .expect(204);
    // A download looks at its sign-in every two seconds.
    std::thread::sleep(std::time::Duration::from_secs(3));
    for (answer, whole) in &mut running {
        let rest = std::io::copy(answer, &mut std::io::sink());
        let got = rest.as_ref().map_or(0, |rest| rest + 4096);
        assert!(rest.is_err() || got < *whole, "all {whole} bytes came");
    }
}
