//! MongoDB stopped under a running server (R1.54): 503 that says when to come back, and everything
//! works again once it is there. This needs a mongod of its own.

mod mongodb {
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use serde_json::json;

    use crate::answer::Answer;
    use crate::client::PASSWORD;
    use crate::samples;
    use crate::server::{Server, lines, terminate, wait_until};
    use crate::store::Backend;

    /// A mongod that can be stopped, by our own script.
    struct Mongod {
        child: Child,
        uri: String,
    }

    impl Mongod {
        /// On this port, or on a free one.
        fn start(data: &Path, port: Option<&str>) -> Self {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/mongod");
            let mut command = Command::new(script);
            command.arg("start").arg("--dbpath").arg(data);
            if let Some(port) = port {
                command.args(["--port", port]);
            }
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            let output = lines(child.stdout.take().unwrap());
            let uri = output
                .recv_timeout(std::time::Duration::from_secs(90))
                .unwrap();
            Self { child, uri }
        }

        fn port(&self) -> String {
            let (_, rest) = self.uri.rsplit_once(':').unwrap();
            rest.chars().take_while(char::is_ascii_digit).collect()
        }
    }

    impl Drop for Mongod {
        fn drop(&mut self) {
            // The script stops its mongod when asked, not when killed.
            terminate(self.child.id());
            self.child.wait().unwrap();
        }
    }

    #[track_caller]
    fn assert_unavailable(what: &str, answer: Answer) {
        assert_eq!(answer.status, 503, "{what}: {}", answer.text());
        let seconds = answer.header("Retry-After");
        assert!(
            seconds.parse::<u32>().is_ok(),
            "{what}: Retry-After: {seconds}"
        );
    }

    #[test]
    fn a_stopped_database_is_503_until_it_is_back() {
        if Backend::mongodb().is_none() {
            return;
        }
        let data = tempfile::tempdir().unwrap();
        let mongod = Mongod::start(data.path(), None);
        let port = mongod.port();
        let server = Server::start(&Backend::Mongodb(mongod.uri.clone()));
        let client = server.user("ada");
        let bytes = samples::jpeg(1);
        let id = client.add("a.jpg", &bytes);
        let browser = server.signed_in("ada");

        drop(mongod);
        let anonymous = server.anonymous();
        wait_until("it notices", || {
            anonymous.get("/health/ready").status == 503
        });
        assert_unavailable("ready", anonymous.get("/health/ready"));
        anonymous.get("/health/live").expect(200);
        assert_unavailable("a list", client.get("/api/v1/images"));
        assert_unavailable(
            "an original",
            client.get(&format!("/api/v1/images/{id}/original")),
        );
        assert_unavailable("an upload", client.upload("b.jpg", &samples::jpeg(2)));
        assert_unavailable("a sign-in", client.login("ada", PASSWORD));
        let delete = json!({ "all": true });
        assert_unavailable("a deletion", client.post("/api/v1/images/delete", &delete));
        client.get("/api/v1/images").problem(503);
        let page = Answer::to(browser.request("GET", "/vault"));
        assert!(
            page.header("Content-Type").starts_with("text/html"),
            "a 503 page"
        );
        assert_unavailable("a page", page);

        let _mongod = Mongod::start(data.path(), Some(&port));
        wait_until("it is back", || {
            anonymous.get("/health/ready").status == 200
        });
        assert_eq!(client.original(&id), bytes);
        assert_eq!(
            client.names(""),
            ["a.jpg"],
            "what was refused was not stored"
        );
        client.add("b.jpg", &samples::jpeg(2));
    }

    #[test]
    fn an_absent_database_stops_the_start_with_a_sentence() {
        let absent = "mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=500";
        let server = Server::prepared(&Backend::Embedded, &[]);
        let mut command = server.command(&["serve"]);
        let output = command.env("IMAGE_VAULT_STORE", absent).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            said.contains("cannot be reached") && !said.contains("panicked"),
            "{said}"
        );
    }
}
