//! Failed tries cost the next one a wait: per login, per address, and nobody can choose whose.

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    the_sixth_wrong_password_in_a_row_has_to_wait,
    waiting_says_nothing_about_whether_an_account_exists,
    waiting_does_not_tell_that_a_name_and_an_address_belong_together,
    a_form_that_has_to_wait_says_for_how_long,
    a_right_password_clears_the_count,
    tries_at_the_same_moment_are_all_counted,
    failures_are_remembered_by_every_process,
    an_address_is_counted_too_and_cannot_be_made_up,
    behind_a_trusted_proxy_each_visitor_counts_apart,
    wrong_current_passwords_count_as_tries,
    failed_sign_ins_keep_nobody_from_recovering,
    strangers_cannot_keep_the_owner_out,
    a_sign_in_that_could_not_be_checked_is_not_counted,
    a_burst_of_right_passwords_keeps_nobody_else_of_its_network_waiting,
    a_hundred_wrong_passwords_at_once_get_no_more_answers_than_one_after_the_other,
);

const WRONG: &str = "not the password at all";

fn wrong(client: &Client, login: &str) -> u16 {
    client.login(login, WRONG).status
}

/// R2.27, R3.16: 429 with `Retry-After`; the right password has to wait, too.
fn the_sixth_wrong_password_in_a_row_has_to_wait(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let mut admitted = 0;
    while wrong(&client, "ada") == 401 {
        admitted += 1;
        // A machine that is slower than the first short waits meets a longer one.
        assert!(admitted < 12, "nobody has to wait");
    }
    assert!(admitted >= 5, "{admitted}");
    let answer = client.login("ada", PASSWORD);
    let secs: u64 = answer.header("Retry-After").parse().unwrap();
    assert!((1..=64).contains(&secs), "{secs}");
    answer.problem(429);
    std::thread::sleep(std::time::Duration::from_secs(secs));
    client.login("ada", PASSWORD).json(201);
}

fn waiting_says_nothing_about_whether_an_account_exists(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let free = |login: &str| (0..12).take_while(|_| wrong(&client, login) == 401).count();
    for login in ["ada", "nobody"] {
        assert!((5..12).contains(&free(login)), "{login}");
    }
}

fn waiting_does_not_tell_that_a_name_and_an_address_belong_together(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    while wrong(&client, "ada") == 401 {}
    let status = wrong(&client, "ada@example.org");
    assert_eq!(status, wrong(&client, "zoe@example.org"));
    assert_eq!(status, 401);
}

/// Pages are read by scripts, too.
fn a_form_that_has_to_wait_says_for_how_long(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    let typed = [("login", "ada"), ("password", WRONG)];
    let mut submitted = || {
        browser.get("/login").expect(200);
        browser.submit("/login", &typed)
    };
    let refused = std::iter::repeat_with(&mut submitted)
        .take(12)
        .find(|answer| answer.status == 429);
    let secs: u64 = refused.unwrap().header("Retry-After").parse().unwrap();
    assert!((1..=300).contains(&secs), "{secs}");
}

fn a_right_password_clears_the_count(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    for _ in 0..4 {
        for _ in 0..4 {
            assert_eq!(wrong(&client, "ada"), 401);
        }
        client.login("ADA", PASSWORD).json(201);
    }
}

fn tries_at_the_same_moment_are_all_counted(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let client = server.anonymous();
                scope.spawn(move || wrong(&client, "ada"))
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let admitted = statuses.iter().filter(|status| **status == 401).count();
    assert!(admitted <= 6, "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
}

fn failures_are_remembered_by_every_process(backend: &Backend) {
    let mut server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    // After eight the next one has to wait for eight seconds: longer than a restart takes.
    let mut failed = 0;
    while failed < 8 {
        let answer = client.login("ada", WRONG);
        if answer.status == 429 {
            let secs = answer.header("Retry-After").parse().unwrap();
            std::thread::sleep(std::time::Duration::from_secs(secs));
        } else {
            answer.problem(401);
            failed += 1;
        }
    }
    server.restart();
    server.anonymous().login("ada", PASSWORD).problem(429);
}

/// `X-Real-IP` and `X-Forwarded-For` are anybody's to send.
fn an_address_is_counted_too_and_cannot_be_made_up(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let mut statuses = Vec::new();
    for n in 0..31 {
        let body = json!({ "login": format!("user{n}"), "password": WRONG });
        let request = client
            .request("POST", "/api/v1/sessions")
            .header("X-Real-IP", format!("198.51.100.{n}"))
            .header("X-Forwarded-For", format!("198.51.100.{n}"))
            .json(&body);
        statuses.push(Answer::to(request).status);
    }
    assert_eq!(statuses[..30], [401; 30]);
    assert_eq!(statuses[30], 429);
}

fn behind_a_trusted_proxy_each_visitor_counts_apart(backend: &Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]);
    server.user("ada");
    let client = server.anonymous();
    let from = |forwarded: &str, n: u32| {
        let body = json!({ "login": format!("user{n}"), "password": WRONG });
        let request = client
            .request("POST", "/api/v1/sessions")
            .header("X-Forwarded-For", forwarded)
            .json(&body);
        Answer::to(request).status
    };
    for n in 0..31 {
        // What a visitor puts before it changes nothing: the proxy's own word is the last one.
        let forwarded = format!("203.0.113.{n}, 198.51.100.1");
        let expected = if n < 30 { 401 } else { 429 };
        assert_eq!(from(&forwarded, n), expected, "{n}");
    }
    assert_eq!(from("198.51.100.2", 40), 401);
}

fn wrong_current_passwords_count_as_tries(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let body = json!({ "current_password": WRONG, "new_password": "seven purple llamas whisper" });
    let change = || client.put("/api/v1/account/password", &body).status;
    let free = (0..12).take_while(|_| change() == 403).count();
    assert!((5..12).contains(&free), "{free}");
    assert_eq!(change(), 429);
    // Nobody from outside can do this to the owner, nor the owner to the sign-in.
    server.anonymous().login("ada", PASSWORD).json(201);
}

/// A code of 256 bits is not guessed, so nobody may keep its owner from using it.
fn failed_sign_ins_keep_nobody_from_recovering(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let made = client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    while wrong(&client, "ada") != 429 {}
    let body = json!({
        "login": "ada",
        "recovery_code": made["recovery_code"],
        "new_password": "seven purple llamas whisper",
    });
    client.post("/api/v1/account/recovery", &body).json(200);
}

/// Strangers have counters of their own.
fn strangers_cannot_keep_the_owner_out(backend: &Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]);
    let client = server.anonymous();
    let from = |address: &str, path: &str, body: serde_json::Value| {
        let request = client.request("POST", path).json(&body);
        Answer::to(request.header("X-Forwarded-For", address))
    };
    let new = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD });
    from("192.0.2.1", "/api/v1/accounts", new).expect(201);
    let sign_in = |address: &str, password: &str| {
        let body = json!({ "login": "ada", "password": password });
        from(address, "/api/v1/sessions", body).status
    };
    while sign_in("198.51.100.7", WRONG) != 429 {}
    assert_eq!(
        sign_in("203.0.113.4", PASSWORD),
        429,
        "a network nobody knows"
    );
    assert_eq!(sign_in("192.0.2.1", PASSWORD), 201, "the owner's own");
}

/// What fails for other reasons is no guess.
fn a_sign_in_that_could_not_be_checked_is_not_counted(backend: &Backend) {
    let server = Server::with(backend, &[("ARGON2_QUEUE", "0"), ("ARGON2_PARALLEL", "1")]);
    server.user("ada");
    let busy = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..40)
            .map(|_| {
                let client = server.anonymous();
                scope.spawn(move || client.login("ada", PASSWORD).status)
            })
            .collect();
        let statuses: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
        statuses.iter().filter(|status| **status == 503).count()
    });
    assert!(busy > 0, "nobody met a busy server");
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(wrong(&server.anonymous(), "ada"));
    }
    assert_eq!(statuses, [401; 5]);
}

/// So many at the same moment, half of them to each of two processes.
fn at_once(
    many: usize,
    servers: [&Server; 2],
    ask: impl Fn(&Client, usize) -> Answer + Sync,
) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..many)
            .map(|number| {
                let (client, ask) = (servers[number % 2].anonymous(), &ask);
                scope.spawn(move || ask(&client, number))
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// A try that is under way has not failed: more people than a network has free tries come at the same
/// moment, and somebody sends a hundred besides.
fn a_burst_of_right_passwords_keeps_nobody_else_of_its_network_waiting(backend: &Backend) {
    const NEIGHBOURS: usize = 36;
    let server = Server::start(backend);
    let other = server.beside();
    let servers = [&server, &other];
    server.user("ada");
    let client = server.anonymous();
    let name = |number: usize| format!("neighbour{number}");
    for number in 0..NEIGHBOURS {
        let address = format!("{}@example.org", name(number));
        client.register(&name(number), &address, PASSWORD).json(201);
    }
    let (burst, neighbours) = std::thread::scope(|scope| {
        let burst =
            scope.spawn(|| at_once(100, servers, |client, _| client.login("ada", PASSWORD)));
        let neighbours = at_once(NEIGHBOURS, servers, |client, number| {
            client.login(&name(number), PASSWORD)
        });
        (burst.join().unwrap(), neighbours)
    });
    for answer in neighbours {
        answer.json(201);
    }
    for answer in burst {
        if answer.status != 201 {
            let wait: u64 = answer.header("Retry-After").parse().unwrap();
            assert!(wait <= 5, "{}", answer.text());
        }
    }
    for one in servers {
        one.anonymous().login("ada", PASSWORD).json(201);
    }
}

/// R2.27: whether with one login or with a hundred, and whichever process is asked.
fn a_hundred_wrong_passwords_at_once_get_no_more_answers_than_one_after_the_other(
    backend: &Backend,
) {
    let server = Server::start(backend);
    let other = server.beside();
    server.user("ada");
    let count = |answers: &[Answer], status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    let one_login = at_once(100, [&server, &other], |client, _| {
        client.login("ada", WRONG)
    });
    let told = count(&one_login, 401);
    // A machine that is slower than the first short waits gives another answer after each.
    assert!((5..=9).contains(&told), "{told}");
    assert_eq!(told + count(&one_login, 429) + count(&one_login, 503), 100);
    assert!(count(&one_login, 429) > 50, "{}", count(&one_login, 429));
    let many_logins = at_once(100, [&server, &other], |client, number| {
        client.login(&format!("user{number}"), WRONG)
    });
    let told = told + count(&many_logins, 401);
    assert!((25..=34).contains(&told), "{told}");
    // While the last of them are under way the others hear that it is busy; afterwards, to wait.
    let has_to_wait = |n| server.anonymous().login(&format!("later{n}"), WRONG).status == 429;
    assert!((0..8).any(has_to_wait));
}
