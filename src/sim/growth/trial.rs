//! One cluster, from rest through all that happens to it.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    super::{
        Cluster, Conditions, HostId, News, Spread, Views,
        churn::{End, churn},
        registration,
    },
    Figure, Samples,
};
use crate::model::{Command, InstanceId, Registration, ServiceName};

/// Before anything is measured: streams are watched by then, and round trips known.
const WARM_UP: Duration = Duration::from_secs(20);
/// How long a cluster is looked at while nothing happens.
const REST: Duration = Duration::from_secs(60);
/// When something is waited for no more.
const PATIENCE: Duration = Duration::from_secs(60);
/// From one change to the next: what it sent is sent by then.
const BETWEEN_CHANGES: Duration = Duration::from_secs(2);
/// The same for whatever concerns members.
const BETWEEN_EVENTS: Duration = Duration::from_secs(10);
/// After churn: longer than it takes to find out who hangs.
const AFTERMATH: Duration = Duration::from_secs(20);
const CHANGES: usize = 20;
const DEATHS: usize = 10;
const JOINS: usize = 10;
/// Restarts in churn at least; in a large cluster there are more in its minute.
const RESTARTS: usize = 20;
/// The share of all agents that restart each minute.
const CHURN: f64 = 0.1;

pub(super) struct Trial {
    cluster: Cluster,
    rng: StdRng,
    spread: Spread,
    views: Views,
    /// What all send in a second while nothing happens.
    at_rest: f64,
    samples: BTreeMap<Figure, Vec<Option<f64>>>,
}

impl Trial {
    pub(super) fn new(size: usize, seed: u64) -> Trial {
        let mut cluster = Cluster::new(size, seed, Conditions::default());
        let (spread, views) = (Spread::default(), Views::of(instance("web")));
        cluster.world.watch(Box::new(spread.clone()));
        cluster.world.watch(Box::new(views.clone()));
        cluster.start_acquainted();
        Trial { cluster, rng: StdRng::seed_from_u64(seed), spread, views, at_rest: 0.0, samples: BTreeMap::new() }
    }

    pub(super) fn run(&mut self) -> BTreeMap<Figure, Samples> {
        self.register_all();
        self.cluster.world.run_for(WARM_UP);
        self.rest();
        (0..CHANGES).for_each(|time| self.change(time));
        for _ in 0..DEATHS {
            self.death(Figure::Killed);
            self.death(Figure::HostLost);
        }
        (0..JOINS).for_each(|_| self.join());
        self.churn();
        std::mem::take(&mut self.samples).into_iter().map(|(figure, samples)| (figure, samples.into_iter().collect())).collect()
    }

    fn add(&mut self, figure: Figure, sample: Option<f64>) {
        self.samples.entry(figure).or_default().push(sample);
    }

    fn others(&self, than: HostId) -> Vec<HostId> {
        self.cluster.world.running().filter(|host| *host != than).collect()
    }

    fn draw(&mut self) -> usize {
        self.rng.random_range(0..self.cluster.hosts.len())
    }

    /// One instance on each, as churn is to be seen by.
    fn register_all(&mut self) {
        for host in self.cluster.hosts.clone() {
            self.cluster.world.submit(host, register("web"));
        }
    }

    fn rest(&mut self) {
        let before = self.octets_of_each();
        self.cluster.world.run_for(REST);
        self.at_rest = self.add_rates(Figure::AtRest, &before, REST);
        for host in self.cluster.hosts.clone() {
            let streams = self.cluster.world.host(host).process.as_ref().map(|process| process.streams.len() as f64);
            self.add(Figure::Streams, streams);
        }
    }

    /// What each node has sent until now.
    fn octets_of_each(&self) -> Vec<u64> {
        self.cluster.hosts.iter().map(|host| self.cluster.world.host(*host).traffic.octets()).collect()
    }

    /// What each node sent in a second since it had sent so much, so long ago; and what all of them did.
    fn add_rates(&mut self, figure: Figure, before: &[u64], time: Duration) -> f64 {
        let mut sum = 0.0;
        for (before, after) in before.iter().zip(self.octets_of_each()) {
            let rate = (after - before) as f64 / time.as_secs_f64();
            self.add(figure, Some(rate));
            sum += rate;
        }
        sum
    }

    /// Lets time pass until all know what is waited for; how long that took, if they do.
    fn wait(&mut self, figure: Figure, news: &News) -> Option<Duration> {
        let took = self.spread.end(&mut self.cluster.world, PATIENCE).remove(news).flatten();
        self.add(figure, took.map(|time| time.as_secs_f64()));
        took
    }

    /// What each node sent on average since then, beyond what it sends at rest.
    fn beyond_rest(&self, octets_before: u64, time: Duration) -> f64 {
        let sent = self.cluster.traffic().octets() - octets_before;
        (sent as f64 - self.at_rest * time.as_secs_f64()) / self.cluster.hosts.len() as f64
    }

    fn change(&mut self, time: usize) {
        let (before, begun) = (self.cluster.traffic().octets(), self.cluster.world.now());
        let drawn = self.draw();
        let host = self.cluster.hosts[drawn];
        let id = format!("change-{time}");
        let news = News::Instance(self.cluster.node(host), instance(&id));
        self.spread.wait_for(&self.cluster.world, news.clone(), self.cluster.hosts.iter().copied());
        self.cluster.world.submit(host, register(&id));
        let took = self.wait(Figure::Change, &news);
        self.cluster.world.run_until(begun + took.unwrap_or(PATIENCE).max(BETWEEN_CHANGES));
        let added = self.beyond_rest(before, self.cluster.world.now() - begun);
        self.add(Figure::PerChange, Some(added));
    }

    fn death(&mut self, figure: Figure) {
        // Probes are sent in rounds: the next one is as likely to be at any time from here on.
        let pause = Duration::from_millis(self.rng.random_range(0..2_000));
        self.cluster.world.run_for(pause);
        let drawn = self.draw();
        let host = self.cluster.hosts[drawn];
        let news = News::Down(self.cluster.node(host));
        self.spread.wait_for(&self.cluster.world, news.clone(), self.others(host));
        match figure {
            Figure::HostLost => self.cluster.world.lose_power(host),
            _ => self.cluster.world.kill(host),
        }
        self.wait(figure, &news);
        self.start(host);
        self.cluster.world.run_for(BETWEEN_EVENTS);
    }

    fn start(&mut self, host: HostId) {
        self.cluster.world.start(host).expect("its folder is sound");
    }

    /// One leaves, and another one joins in its place, whom nobody knows.
    fn join(&mut self) {
        let drawn = self.draw();
        let leaver = self.cluster.hosts.remove(drawn);
        self.cluster.world.leave(leaver);
        self.cluster.world.run_for(BETWEEN_EVENTS);
        let (before, begun) = (self.cluster.traffic().octets(), self.cluster.world.now());
        let host = self.cluster.add();
        let readers = self.others(host);
        self.start(host);
        let news = News::Alive(self.cluster.node(host));
        self.spread.wait_for(&self.cluster.world, news.clone(), readers);
        let took = self.wait(Figure::Join, &news);
        self.cluster.world.run_until(begun + took.unwrap_or(PATIENCE).max(BETWEEN_EVENTS));
        let added = self.beyond_rest(before, self.cluster.world.now() - begun);
        self.add(Figure::PerJoin, Some(added));
        self.cluster.world.submit(host, register("web"));
    }

    fn churn(&mut self) {
        self.cluster.world.run_for(BETWEEN_EVENTS);
        let size = self.cluster.hosts.len();
        let a_minute = size as f64 * CHURN;
        let restarts = (a_minute as usize).max(RESTARTS);
        let (before, begun) = (self.octets_of_each(), self.cluster.world.now());
        self.views.judge(&self.cluster.world);
        churn(&mut self.cluster, &self.views, &mut self.rng, Duration::from_secs_f64(60.0 / a_minute), restarts, &End::PROCESSES);
        let lasted = self.cluster.world.now() - begun;
        self.add_rates(Figure::InChurn, &before, lasted);
        let end = self.cluster.world.now() + AFTERMATH;
        self.views.run_until(&mut self.cluster.world, end);
        for lapse in self.views.lapses(&self.cluster.world) {
            // Whoever is wrong still will be for who knows how long.
            let is_over = lapse.since + lapse.lasted < self.cluster.world.now();
            self.add(Figure::Churn, is_over.then_some(lapse.lasted.as_secs_f64()));
        }
    }
}

fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).expect("letters, digits and hyphens are an id")
}

fn register(id: &str) -> Command {
    let service = ServiceName::new("web").expect("letters are a name");
    Command::Register(Registration::plain(registration::instance(instance(id), service, 80)))
}
