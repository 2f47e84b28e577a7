//! Who may register: everybody, whoever was sent a link, or nobody but the first person.

use serde_json::{Value, json};

use super::client::{Client, PASSWORD};
use super::html;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_closed_server_takes_the_first_person_and_no_other,
    of_eight_who_come_at_once_to_a_new_server_one_gets_in,
    an_invitation_lets_one_person_in_once,
    of_two_who_come_with_one_link_one_gets_in,
    a_registration_that_fails_leaves_the_link_usable,
    only_administrators_invite,
    the_operator_invites_on_the_command_line,
    the_pages_lead_through_an_invitation,
    a_name_that_only_looks_like_a_taken_one_is_refused_like_it,
    of_eight_who_come_at_once_with_names_that_look_alike_one_gets_in,
);

const INVITATIONS: &str = "/api/v1/admin/invitations";

fn by_invitation(backend: &Backend) -> (Server, Client) {
    let server = Server::with(backend, &[("REGISTRATION", "invitation")]);
    let admin = server.user("ada");
    (server, admin)
}

fn link(admin: &Client) -> String {
    let made = admin.post(INVITATIONS, &json!({})).json(201);
    let url = made["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://"), "nobody can open {url}");
    url
}

fn token(link: &str) -> &str {
    link.split_once("invitation=").unwrap().1
}

fn newcomer(name: &str, invitation: &str) -> Value {
    json!({
        "username": name,
        "email": format!("{name}@example.org"),
        "password": PASSWORD,
        "invitation": invitation,
    })
}

fn a_closed_server_takes_the_first_person_and_no_other(backend: &Backend) {
    let server = Server::with(backend, &[("REGISTRATION", "closed")]);
    // The first person is led in as on any other server.
    let login = server.browser().get("/login").expect(200).text();
    assert!(login.contains("Create one"));
    let page = server.browser().get("/register").expect(200).text();
    assert!(page.contains("Create my vault") && !page.contains("no new accounts"));
    let admin = server.user("ada");
    let refused = server
        .anonymous()
        .register("bob", "bob@example.org", PASSWORD)
        .problem(403);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("no new accounts")
    );
    let made = newcomer("bob", token(&link(&admin)));
    server
        .anonymous()
        .post("/api/v1/accounts", &made)
        .problem(403);
    server.anonymous().login("bob", PASSWORD).problem(401);
    let login = server.browser().get("/login").expect(200).text();
    assert!(!login.contains("Create one"));
    let page = server.browser().get("/register").expect(200).text();
    assert!(page.contains("no new accounts") && !page.contains("Create my vault"));
}

/// By two processes that share a store, where nobody is let in but the first, or nobody uninvited.
fn of_eight_who_come_at_once_to_a_new_server_one_gets_in(backend: &Backend) {
    for (mode, words) in [("closed", "no new accounts"), ("invitation", "invitation")] {
        let here = Server::with(backend, &[("REGISTRATION", mode)]);
        let there = here.beside();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let one = |n: usize| {
                let client = [&here, &there][n % 2].anonymous();
                let body = newcomer(&format!("user{n}"), "");
                scope.spawn(move || client.post("/api/v1/accounts", &body))
            };
            let tries: Vec<_> = (0..8).map(one).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (admitted, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(admitted.len(), 1, "{mode}");
        for answer in refused {
            let problem = answer.problem(403);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{detail}");
        }
        assert_eq!(here.store.account_secrets().len(), 1);
    }
}

fn an_invitation_lets_one_person_in_once(backend: &Backend) {
    let (server, admin) = by_invitation(backend);
    let anonymous = server.anonymous();
    let link = link(&admin);
    for wrong in ["", "x", &"A".repeat(43), &token(&link).to_lowercase()] {
        let body = newcomer("bob", wrong);
        anonymous.post("/api/v1/accounts", &body).problem(403);
    }
    let body = newcomer("bob", token(&link));
    let made = anonymous.post("/api/v1/accounts", &body).json(201);
    assert_eq!(made["role"], "user");
    let body = newcomer("carol", token(&link));
    anonymous.post("/api/v1/accounts", &body).problem(403);
    assert!(!server.log().contains(token(&link)));
}

fn of_two_who_come_with_one_link_one_gets_in(backend: &Backend) {
    let (server, admin) = by_invitation(backend);
    let link = link(&admin);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|n| {
                let (client, body) = (
                    server.anonymous(),
                    newcomer(&format!("user{n}"), token(&link)),
                );
                scope.spawn(move || client.post("/api/v1/accounts", &body).status)
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let admitted = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(admitted, 1, "{statuses:?}");
}

fn a_registration_that_fails_leaves_the_link_usable(backend: &Backend) {
    let (server, admin) = by_invitation(backend);
    let link = link(&admin);
    let anonymous = server.anonymous();
    let mut taken = newcomer("ADA", token(&link));
    anonymous.post("/api/v1/accounts", &taken).problem(409);
    for weak in ["short", "qwertyuiop123"] {
        taken["password"] = json!(weak);
        anonymous.post("/api/v1/accounts", &taken).problem(422);
    }
    let body = newcomer("bob", token(&link));
    anonymous.post("/api/v1/accounts", &body).json(201);
}

/// R4.5, R4.7.
fn only_administrators_invite(backend: &Backend) {
    let (server, admin) = by_invitation(backend);
    let body = newcomer("bob", token(&link(&admin)));
    server.anonymous().post("/api/v1/accounts", &body).json(201);
    let bob = server.anonymous().signed_in("bob", PASSWORD);
    let refused = bob.post(INVITATIONS, &json!({})).problem(403);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("administrators")
    );
    server
        .anonymous()
        .post(INVITATIONS, &json!({}))
        .problem(401);
    let mut browser = server.signed_in("bob");
    browser.get("/account").expect(200);
    browser
        .submit_signed("/account/invitations", &[])
        .expect(403);
}

fn the_operator_invites_on_the_command_line(backend: &Backend) {
    let (server, _) = by_invitation(backend);
    let output = server.output(&["admin", "invite", "--days", "2"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let body = newcomer("bob", token(said.trim()));
    server.anonymous().post("/api/v1/accounts", &body).json(201);
    assert!(
        !server
            .output(&["admin", "invite", "--days", "0"])
            .status
            .success()
    );
}

fn the_pages_lead_through_an_invitation(backend: &Backend) {
    let (server, _) = by_invitation(backend);
    let mut admin = server.signed_in("ada");
    let page = admin.get("/account").expect(200).text();
    assert!(page.contains("Invite somebody"));
    let page = admin
        .submit_signed("/account/invitations", &[])
        .expect(200)
        .text();
    let link = html::inside(&page, "id=\"invitation\"", "</code>").unwrap();
    let mut browser = server.browser();
    let page = browser.get("/register").expect(200).text();
    assert!(page.contains("need an invitation"));
    let link = html::unescaped(link);
    let path = link.strip_prefix(&format!("http://{}", server.host()));
    let page = browser.get(path.unwrap()).expect(200).text();
    assert!(!page.contains("need an invitation"));
    let field = html::input(&page, "invitation").unwrap();
    let typed = [
        ("username", "bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
        ("invitation", &field),
    ];
    browser.submit("/register", &typed).expect(200);
    browser.get("/vault").expect(200);
}

/// UTS #39: other scripts, other letter cases, letters that show nothing.
fn a_name_that_only_looks_like_a_taken_one_is_refused_like_it(backend: &Backend) {
    let server = Server::start(backend);
    server.user("paula");
    let anonymous = server.anonymous();
    let register = |name: &str, email: &str| anonymous.register(name, email, PASSWORD);
    for imitation in ["p\u{430}ula", "PАULА", "pau1a", "pauIa", "paula\u{3164}"] {
        let refused = register(imitation, "other@example.org");
        refused.field_error(409, "username");
        // It is nobody's name.
        anonymous.login(imitation, PASSWORD).problem(401);
    }
    register("ｐaula", "other@example.org").field_error(409, "username");
    let exact = register("Paula", "other@example.org").field_error(409, "username");
    assert_eq!(exact, "This user name is taken.");
    // Every field that is taken is named at once.
    let both = register("pаula", "paula@example.org").problem(409);
    let message = both["errors"]["username"].as_str().unwrap();
    assert!(message.contains("looks like"), "{both}");
    assert!(both["errors"]["email"].is_string(), "{both}");
    let fields = [
        ("username", "pаula"),
        ("email", "other@example.org"),
        ("password", PASSWORD),
    ];
    let page = server.browser().submit("/register", &fields).expect(409);
    assert!(page.text().contains("looks like one that is taken"));
    // Names of other scripts are as good as any.
    for (n, name) in ["паула", "Пола", "图片", "pauline"].iter().enumerate() {
        register(name, &format!("{n}@example.org")).json(201);
    }
    server.anonymous().login("paula", PASSWORD).json(201);
}

/// By two processes that share a store.
fn of_eight_who_come_at_once_with_names_that_look_alike_one_gets_in(backend: &Backend) {
    let here = Server::start(backend);
    let there = here.beside();
    // Each letter in Latin or Cyrillic.
    let names: Vec<String> = (0..8)
        .map(|n| {
            let letters = [("a", "а"), ("o", "о"), ("c", "с")];
            let chosen = letters.iter().enumerate();
            chosen
                .map(|(at, (latin, cyrillic))| if n >> at & 1 == 0 { *latin } else { *cyrillic })
                .collect()
        })
        .collect();
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let one = |n: usize| {
            let name = &names[n];
            let client = [&here, &there][n % 2].anonymous();
            let email = format!("{n}@example.org");
            scope.spawn(move || client.register(name, &email, PASSWORD).status)
        };
        let tries: Vec<_> = (0..names.len()).map(one).collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(409)), (1, 7), "{statuses:?}");
    assert_eq!(here.store.account_secrets().len(), 1);
}
