//! SIGKILL at random moments during parallel uploads: what was acknowledged is kept, whole, and
//! the server starts again on what it finds. Ten rounds on each store.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::answer::Answer;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(every_acknowledged_upload_survives_a_kill);

const ROUNDS: u32 = 10;
const UPLOADERS: u32 = 3;

fn every_acknowledged_upload_survives_a_kill(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    // Id and seed of each picture that got its 201.
    let acknowledged = Mutex::new(Vec::new());
    for round in 0..ROUNDS {
        std::thread::scope(|scope| {
            for uploader in 0..UPLOADERS {
                let (client, acknowledged) = (client.clone(), &acknowledged);
                scope.spawn(move || {
                    for n in 0..500 {
                        let seed = (round * UPLOADERS + uploader) * 1_000 + n;
                        let request =
                            client.upload_request(&format!("{seed}.jpg"), &samples::jpeg(seed));
                        let Ok(answer) = Answer::try_to(request) else {
                            return; // killed
                        };
                        // MongoDB ends the transaction of a killed client only after a minute
                        // (transactionLifetimeLimitSeconds); until then its writes may meet it.
                        if answer.status == 503 {
                            continue;
                        }
                        let id = super::client::id(&answer.json(201));
                        acknowledged.lock().unwrap().push((id, seed));
                    }
                });
            }
            // From the moment on when pictures arrive: a server that has just started takes a while.
            let before = acknowledged.lock().unwrap().len();
            let deadline = Instant::now() + Duration::from_secs(90);
            while acknowledged.lock().unwrap().len() == before && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(random_delay());
            server.kill();
        });
        server.run();
        let kept = acknowledged.lock().unwrap();
        // Every one is listed; those of this round are read back, thumbnails included.
        let listed = client.list("limit=500")["total"].as_u64().unwrap();
        assert!(
            listed >= kept.len() as u64,
            "{listed} of {} in round {round}",
            kept.len()
        );
        let first = round * UPLOADERS * 1_000;
        for (id, seed) in kept.iter().filter(|(_, seed)| *seed >= first) {
            assert!(
                client.original(id) == samples::jpeg(*seed),
                "{seed} in round {round}"
            );
            client
                .get(&format!("/api/v1/images/{id}/thumbnail"))
                .expect(200);
        }
        drop(kept);
        assert_all_whole(&client);
    }
    let kept = acknowledged.into_inner().unwrap();
    assert!(
        kept.len() >= ROUNDS as usize,
        "uploads hang after a kill: {} acknowledged in all rounds",
        kept.len()
    );
    for (id, seed) in &kept {
        assert!(
            client.original(id) == samples::jpeg(*seed),
            "{seed} at the end"
        );
    }
}

/// Also what was stored without its 201 having arrived is whole: no half image is listed.
fn assert_all_whole(client: &super::client::Client) {
    for image in client.list("limit=500&sort=-uploaded_at")["items"]
        .as_array()
        .unwrap()
        .iter()
        .take(6)
    {
        let bytes = client.original(image["id"].as_str().unwrap());
        assert_eq!(super::uploads::sha256(&bytes), image["sha256"]);
    }
}

/// Up to 600 ms: at the first uploads' heels or long after.
fn random_delay() -> Duration {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    Duration::from_millis(u64::from(nanos / 1_000 % 600))
}
