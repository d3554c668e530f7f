//! Whom to join: names, and the addresses that they have at the moment.

use std::{collections::BTreeSet, net::SocketAddr, ops::Range, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use tracing::{debug, warn};

use super::families::Families;
use crate::config::Seed;

/// How long a look-up of a seed's name may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a look-up.
#[derive(Debug)]
pub(super) struct Found {
    /// The seed's place, as in [`crate::core::io::Output::Resolve`].
    place: usize,
    /// Its addresses, or why it has none.
    result: Result<Vec<SocketAddr>, String>,
}

/// The seeds that are to be joined, and the place that the first of them has: see [`crate::core::io::Input::Seeds`].
#[derive(Debug)]
pub(super) struct Seeds {
    seeds: Vec<Seed>,
    first: usize,
    families: Families,
    under_way: BTreeSet<usize>,
    /// What was complained of already.
    told: BTreeSet<usize>,
    found: mpsc::UnboundedSender<Found>,
}

impl Seeds {
    /// Seeds that gossip reaches by these families; and where what is found comes out.
    pub(super) fn new(seeds: Vec<Seed>, families: Families) -> (Seeds, mpsc::UnboundedReceiver<Found>) {
        let (found, finds) = mpsc::unbounded_channel();
        (Seeds { seeds, first: 0, families, under_way: BTreeSet::new(), told: BTreeSet::new(), found }, finds)
    }

    /// Others from now on; gives their places.
    pub(super) fn replace(&mut self, seeds: Vec<Seed>) -> Range<usize> {
        self.first += self.seeds.len();
        self.seeds = seeds;
        self.first..self.first + self.seeds.len()
    }

    /// Looks one up, afresh each time and never in the loop.
    pub(super) fn look_up(&mut self, place: usize) {
        let Some(seed) = self.seed(place).cloned() else { return };
        if !self.under_way.insert(place) {
            return;
        }
        let found = self.found.clone();
        tokio::spawn(async move {
            let result = match timeout(PATIENCE, tokio::net::lookup_host((seed.host.as_str(), seed.port))).await {
                Ok(Ok(addresses)) => Ok(addresses.collect()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            // Nobody waits for it in an agent that ends.
            let _ = found.send(Found { place, result });
        });
    }

    /// Takes what was found: the seed's place and its addresses, those that datagrams get to where there are such. What is wrong with it is
    /// told to people once, until it is right.
    pub(super) fn take(&mut self, Found { place, result }: Found) -> (usize, Vec<SocketAddr>) {
        self.under_way.remove(&place);
        let (addresses, wrong) = match result {
            Err(error) => (Vec::new(), format!("its name has no address: {error}")),
            Ok(addresses) if addresses.is_empty() => (addresses, "its name has no address".to_owned()),
            Ok(addresses) => {
                let reached: Vec<SocketAddr> = addresses.iter().copied().filter(|address| self.families.reach(*address)).collect();
                if !reached.is_empty() {
                    self.told.remove(&place);
                    return (place, reached);
                }
                (addresses, format!("no datagram of this agent gets to it: {}", self.families.advice()))
            }
        };
        if let Some(seed) = self.seed(place) {
            if self.told.contains(&place) {
                debug!(%seed, "{wrong}");
            } else {
                warn!(%seed, "{wrong}");
                self.told.insert(place);
            }
        }
        (place, addresses)
    }

    fn seed(&self, place: usize) -> Option<&Seed> {
        self.seeds.get(place.checked_sub(self.first)?)
    }
}
