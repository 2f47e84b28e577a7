//! A wire between the store and its server, to be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections while it is not cut. Ends with its runtime.
pub(crate) struct Proxy {
    port: u16,
    connected: watch::Sender<bool>,
    accepted: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy before the first server of this URI.
    pub(crate) async fn before(uri: &str) -> Self {
        let hosts = uri.split("://").nth(1).unwrap().split('/').next().unwrap();
        let server = hosts
            .rsplit('@')
            .next()
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            connected: watch::Sender::new(true),
            accepted: Arc::default(),
        };
        let (connected, accepted) = (proxy.connected.subscribe(), Arc::clone(&proxy.accepted));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *connected.borrow() {
                    accepted.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(forward(client, server.clone(), connected.clone()));
                }
            }
        });
        proxy
    }

    /// A URI that leads through here, to this database.
    pub(crate) fn uri(&self, database: &str) -> String {
        format!(
            "mongodb://127.0.0.1:{}/{database}?directConnection=true&serverSelectionTimeoutMS=500",
            self.port
        )
    }

    /// Ends all connections and takes no new ones, or takes them again.
    pub(crate) fn connect(&self, connected: bool) {
        self.connected.send_replace(connected);
    }

    /// How many connections there were.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn forward(mut client: TcpStream, server: String, mut connected: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = connected.wait_for(|connected| !connected) => {}
    }
}
