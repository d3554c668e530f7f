//! Connections to targets: names are looked up for each, and no target can use up what look-ups of others need.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpStream, lookup_host},
    sync::{Semaphore, watch},
    time::{Instant, timeout},
};

/// Look-ups at once. Each keeps a thread until the system's resolver gives up, long after the run that asked for it has.
const LOOKUPS: usize = 32;
/// Names that are looked up, or wait for it. Redirections name more than checks do.
const NAMES: usize = 1_024;
/// Addresses of a name that are tried.
const ADDRESSES: usize = 8;

type Answer = Option<Result<Vec<SocketAddr>, String>>;

/// Looks names up by the system's resolver. Who asks for a name that is being looked up waits for the same answer.
pub(super) struct Resolver {
    under_way: Arc<Mutex<BTreeMap<String, watch::Receiver<Answer>>>>,
    places: Arc<Semaphore>,
}

impl Default for Resolver {
    fn default() -> Self {
        Resolver { under_way: Arc::default(), places: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolver {
    /// Connects to a host, by name or address. The addresses that its name has are tried in turn, each for its share of the time.
    pub(super) async fn connect(&self, host: &str, port: u16, patience: Duration) -> Result<TcpStream, String> {
        let deadline = Instant::now() + patience;
        let mut addresses = self.look_up(host).await?;
        addresses.truncate(ADDRESSES);
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let mut problem = format!("{host} has no address");
        for mut address in addresses {
            address.set_port(port);
            let share = deadline.saturating_duration_since(Instant::now()) / left;
            problem = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => format!("can't connect to {address}: {error}"),
                Err(_) => format!("can't connect to {address} within {patience:?}"),
            };
            left -= 1;
        }
        Err(problem)
    }

    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, String> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, 0)]);
        }
        let mut answer = self.ask(host).ok_or_else(|| format!("can't look {host} up: too many names are being looked up"))?;
        let answer = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        answer.unwrap_or_else(|| Err("the look-up broke off".into())).map_err(|error| format!("can't look {host} up: {error}"))
    }

    /// Joins the look-up that is under way, or begins one.
    fn ask(&self, host: &str) -> Option<watch::Receiver<Answer>> {
        let mut under_way = lock(&self.under_way);
        if let Some(answer) = under_way.get(host) {
            return Some(answer.clone());
        }
        if under_way.len() >= NAMES {
            return None;
        }
        let (tell, answer) = watch::channel(None);
        under_way.insert(host.to_owned(), answer.clone());
        let (name, places, all) = (host.to_owned(), Arc::clone(&self.places), Arc::clone(&self.under_way));
        tokio::spawn(async move {
            let place = places.acquire().await;
            let found = lookup_host((name.as_str(), 0)).await.map(Iterator::collect).map_err(|error| error.to_string());
            drop(place);
            lock(&all).remove(&name);
            tell.send_replace(Some(found));
        });
        Some(answer)
    }
}

/// Each change is one insertion or removal, so what a panic left behind is whole.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn who_asks_for_a_name_that_is_being_looked_up_waits_for_the_same_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let resolver = Resolver::default();
        let _first = resolver.ask("localhost").unwrap();
        let second = resolver.connect("localhost", port, PATIENCE);
        assert_eq!(lock(&resolver.under_way).len(), 1);
        let stream = second.await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().port(), port);
        assert_eq!(lock(&resolver.under_way).len(), 0, "the next asks anew");
    }

    #[tokio::test]
    async fn names_that_wait_are_bounded_and_addresses_never_wait() {
        let resolver = Resolver::default();
        let _all_places = resolver.places.acquire_many(u32::try_from(LOOKUPS).unwrap()).await.unwrap();
        let waiting = (0..NAMES).filter(|n| resolver.ask(&format!("name-{n}.invalid")).is_some()).count();
        assert_eq!(waiting, NAMES);
        let problem = resolver.connect("localhost", 9, PATIENCE).await.unwrap_err();
        assert_eq!(problem, "can't look localhost up: too many names are being looked up");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        assert!(resolver.connect(&at.ip().to_string(), at.port(), PATIENCE).await.is_ok());
    }
}
