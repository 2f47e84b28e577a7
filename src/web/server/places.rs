//! How many connections there may be: in all, and from one site, so that nobody takes the places
//! of everybody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::vault::site_of;

/// One site has this part of all places at most, and once half of all are taken, this part.
const PARTS: usize = 4;
const PARTS_WHEN_FEW_ARE_LEFT: usize = 256;

/// Files that may be open for each connection: itself, and what is read for it.
const FILES_EACH: u64 = 2;

/// Open files that so many connections need.
pub fn files_for(connections: usize) -> u64 {
    connections as u64 * FILES_EACH
}

/// The places for connections.
pub(in super::super) struct Places {
    most: usize,
    /// Proxies bring the connections of everybody: they may take all places.
    proxies: Vec<IpNet>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    /// Places taken by each network, but proxies'.
    by: HashMap<String, usize>,
}

/// A place; free again when dropped.
pub(super) struct Place {
    places: Arc<Places>,
    network: Option<String>,
}

impl Places {
    /// So many places, or as many as the system has files for; each network but these has a part.
    pub(in super::super) fn new(most: usize, proxies: &[IpNet]) -> Self {
        let files = open_files(files_for(most));
        let possible = usize::try_from(files / FILES_EACH).unwrap_or(usize::MAX);
        if possible < most {
            tracing::warn!(
                possible,
                "`connections` is more than the limit of open files allows"
            );
        }
        Self::of(most.min(possible), proxies)
    }

    fn of(most: usize, proxies: &[IpNet]) -> Self {
        Self {
            most,
            proxies: proxies.to_vec(),
            taken: Mutex::default(),
        }
    }

    /// A place for a connection from this address, if one is left.
    pub(super) fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let from = from.to_canonical();
        let is_proxy = self.proxies.iter().any(|net| net.contains(&from));
        let network = (!is_proxy).then(|| site_of(from));
        let mut taken = self.taken();
        if taken.in_all >= self.most {
            return None;
        }
        if let Some(network) = &network {
            let parts = match taken.in_all < self.most / 2 {
                true => PARTS,
                false => PARTS_WHEN_FEW_ARE_LEFT,
            };
            let count = taken.by.entry(network.clone()).or_default();
            if *count >= self.most.div_ceil(parts) {
                return None;
            }
            *count += 1;
        }
        taken.in_all += 1;
        Some(Place {
            places: Arc::clone(self),
            network,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_all -= 1;
        let Some(network) = &self.network else {
            return;
        };
        if let Some(count) = taken.by.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.by.remove(network);
            }
        }
    }
}

/// Raises the limit of open files to so many, if it is lower, and returns the limit there is. Many
/// systems give 1,024 to a process that does not ask: idle connections would soon keep everybody
/// out, and the store from its own files.
fn open_files(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let possible = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let current = current.unwrap_or(u64::MAX);
    if current >= possible {
        return current;
    }
    let more = Rlimit {
        current: Some(possible),
        maximum,
    };
    match setrlimit(Resource::Nofile, more) {
        Ok(()) => possible,
        Err(error) => {
            tracing::warn!(%error, current, "the limit of open files stays as it is");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_has_a_quarter_and_proxies_have_all() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let places = Arc::new(Places::of(16, &["10.0.0.5/32".parse().unwrap()]));
        let takes =
            |from: &str| -> Vec<Place> { std::iter::from_fn(|| places.take(at(from))).collect() };
        let (ada, ben) = (takes("192.0.2.1"), takes("2001:db8::1"));
        assert_eq!((ada.len(), ben.len()), (4, 4));
        let same = "2001:db8:0:ffff::2";
        assert!(places.take(at(same)).is_none(), "the same site");
        let few = takes("198.51.100.7");
        assert_eq!(few.len(), 1, "half are taken");
        assert!(
            places.take(at("::ffff:192.0.2.1")).is_none(),
            "the same address"
        );
        let proxied = takes("10.0.0.5");
        assert_eq!(proxied.len(), 7);
        assert!(places.take(at("198.51.100.1")).is_none());
        drop((ada, proxied, ben));
        assert_eq!(takes("192.0.2.1").len(), 4);
        drop(few);
        assert!(places.taken().by.is_empty(), "nobody is remembered");
        assert_eq!(places.taken().in_all, 0);
    }
}
