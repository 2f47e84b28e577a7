//! The program under test as a child process: settings by environment, a port of its own choosing,
//! ready when it says so, killed when the test ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use super::browser::Browser;
use super::client::Client;
use super::store::{Backend, Store};

/// What every server of the tests is started with: the cheapest hashing that is allowed, no port
/// that another one would want as well, and no budgets, since all tests call from one address.
const CHEAP: [(&str, &str); 7] = [
    ("ARGON2_MEMORY", "19 MiB"),
    ("ARGON2_PASSES", "2"),
    ("METRICS_PORT", "0"),
    ("ANONYMOUS_CALLS_PER_MINUTE", "0"),
    ("ACCOUNT_CALLS_PER_MINUTE", "0"),
    ("THUMBNAIL_CALLS_PER_MINUTE", "0"),
    ("REGISTRATIONS_PER_HOUR", "0"),
];
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, its store, and its settings for the next start.
pub(super) struct Server {
    pub(super) store: Arc<Store>,
    settings: Vec<(String, String)>,
    /// What a shell sets before it becomes the server, such as a umask.
    pub(super) shell_sets: Option<&'static str>,
    child: Option<Child>,
    /// Changes at a restart; clients look it up for each request.
    base: Arc<RwLock<String>>,
}

impl Server {
    /// On an empty store, with cheap hashing.
    pub(super) fn start(backend: &Backend) -> Self {
        Self::with(backend, &[])
    }

    /// The same with these settings besides (`MAX_FILE`, without the prefix).
    pub(super) fn with(backend: &Backend, settings: &[(&str, &str)]) -> Self {
        let mut server = Self::prepared(backend, settings);
        server.run();
        server
    }

    /// Not started yet.
    pub(super) fn prepared(backend: &Backend, settings: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        Self {
            store: Arc::new(Store::new(backend)),
            settings: CHEAP.iter().chain(settings).map(owned).collect(),
            shell_sets: None,
            child: None,
            base: Arc::default(),
        }
    }

    /// Another process that serves the same store.
    pub(super) fn beside(&self) -> Self {
        let mut server = Self {
            store: Arc::clone(&self.store),
            settings: self.settings.clone(),
            shell_sets: self.shell_sets,
            child: None,
            base: Arc::default(),
        };
        server.run();
        server
    }

    /// Starts it, on the store as it is.
    pub(super) fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.store.log_file())
            .unwrap();
        let mut child = self.command(&[]);
        // With an address of its own it announces that one, so the port must be known before.
        let public = self.settings.iter().any(|(key, _)| key == "PUBLIC_URL");
        let chosen = if public { free_port() } else { 0 };
        child.env("ROCKET_PORT", chosen.to_string());
        let child = child.stdout(Stdio::piped()).stderr(log);
        let mut child = child.spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        self.child = Some(child);
        // Asking the port whether it answers could ask somebody else's server.
        let announced = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok())
            .find_map(|line| Some(line.split_once("Image Vault is ready: ")?.1.to_owned()));
        let announced = announced.unwrap_or_else(|| panic!("it did not start:\n{}", self.log()));
        let port = announced
            .strip_prefix("http://localhost:")
            .map(|port| port.trim().to_owned());
        let port = port.unwrap_or_else(|| chosen.to_string());
        *self.base.write().unwrap() = format!("http://127.0.0.1:{port}");
        let ready = || self.anonymous().get("/health/ready").status == 200;
        wait_until("it is ready", ready);
    }

    /// The program with the settings of this server and these arguments.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_image-vault");
        let mut command = match self.shell_sets {
            None => Command::new(program),
            Some(first) => {
                let mut shell = Command::new("/bin/sh");
                let script = format!("{first} && exec \"$0\" \"$@\"");
                shell.args(["-c", &script, program]);
                shell
            }
        };
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_clear()
            .env("TMPDIR", self.store.temp_dir())
            .env("ROCKET_PORT", "0")
            .env("IMAGE_VAULT_STORE", self.store.setting())
            .env("IMAGE_VAULT_DATA_DIR", self.store.data_dir())
            .stdin(Stdio::null());
        for (key, value) in &self.settings {
            command.env(format!("IMAGE_VAULT_{key}"), value);
        }
        command
    }

    /// Runs a subcommand to its end.
    pub(super) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Asks it to stop, as a service manager does, and waits for the end.
    pub(super) fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// Its process id.
    pub(super) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// What it has used of the processors since its start (proc_pid_stat(5): the fields `utime` and
    /// `stime`, of which Linux has a hundred a second whatever the machine).
    pub(super) fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process())).unwrap();
        // The name of the program, the second field, may hold anything.
        let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
        let ticks = fields
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Only asks.
    pub(super) fn terminate(&self) {
        terminate(self.process());
    }

    /// Waits until it has ended by itself.
    pub(super) fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let mut status = None;
        wait_until("the server ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// As a power cut would: SIGKILL.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stopped and started again on the same store.
    pub(super) fn restart(&mut self) {
        assert!(self.stop().success(), "{}", self.log());
        self.run();
    }

    /// Sets something for the next start.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// What it logged so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.store.log_file()).unwrap_or_default()
    }

    /// The data folder's file that holds the instance secret.
    pub(super) fn key_file(&self) -> std::path::PathBuf {
        self.store.data_dir().join("instance.key")
    }

    /// `127.0.0.1:PORT`.
    pub(super) fn host(&self) -> String {
        self.base
            .read()
            .unwrap()
            .trim_start_matches("http://")
            .to_owned()
    }

    /// A program without credentials.
    pub(super) fn anonymous(&self) -> Client {
        Client::anonymous(Arc::clone(&self.base))
    }

    /// A program with a bearer token, of a new account with this user name.
    pub(super) fn user(&self, name: &str) -> Client {
        self.anonymous().registered(name)
    }

    /// A browser in which nobody is signed in.
    pub(super) fn browser(&self) -> Browser {
        Browser::new(Arc::clone(&self.base))
    }

    /// A browser in which this existing user has signed in by the form.
    pub(super) fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(name);
        browser
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        // A panic of the server is a bug whatever the test was about.
        if !std::thread::panicking() {
            assert!(!self.log().contains("panicked at"), "{}", self.log());
        }
    }
}

pub(super) fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// Sends SIGTERM.
pub(super) fn terminate(process: u32) {
    let sent = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -TERM {process}"))
        .status();
    assert!(sent.unwrap().success());
}

/// The lines of a process's output, read on a thread so that waiting for one can end.
pub(super) fn lines(output: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more: still read on, or the process would block.
            drop(sender.send(line));
        }
    });
    lines
}

/// Asks again and again, and fails after a minute.
#[track_caller]
pub(super) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Permissions of a file, the nine lower bits.
pub(super) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
