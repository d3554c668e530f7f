//! Whether what agents take stays as it is: judged in peace alone, the beginning of a run against its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use super::{curve::median, figures::Sample, phases::Span};

/// In a peace what agents do about what came before is over by then.
const CALM: Duration = Duration::from_secs(4);
/// The ages, in seconds, at which processes are compared that are not the same ones.
const YOUNG: [u64; 2] = [15, 120];
/// A run that is shorter ends before memory has found its level.
const SHORT: Duration = Duration::from_secs(900);

const MEGABYTE: f64 = 1_048_576.0;

/// How much more there may be at the end than at the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    ratio: f64,
    slack: f64,
}

/// What has no reason to be open once more has no place: none.
const DESCRIPTORS: Limit = Limit { ratio: 1.0, slack: 0.0 };
/// Who looks after whom changes with who is there, and a stream that is about to be closed may be open still.
const STREAMS: Limit = Limit { ratio: 1.0, slack: 1.0 };

/// Octets a second and agent. Who looks after whom by chance weighs more in a short peace.
fn traffic(lasts: Duration) -> Limit {
    Limit { ratio: 1.2, slack: if lasts < SHORT { 100.0 } else { 50.0 } }
}

/// Octets. What is allocated and given back leaves holes, which fill within minutes, and the changes that are kept for readers have a place each until
/// there are as many as are kept.
fn memory(lasts: Duration) -> Limit {
    Limit { ratio: 1.1, slack: MEGABYTE * if lasts < SHORT { 1.5 } else { 1.0 } }
}

/// A figure at the beginning and at the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) what: &'static str,
    unit: &'static str,
    /// None where there was nothing to read it from.
    ends: Option<(f64, f64)>,
    limit: Limit,
}

impl Verdict {
    /// What can't be told does not hold, either.
    pub(crate) fn holds(&self) -> bool {
        self.ends.is_some_and(|(first, last)| last <= self.most(first))
    }

    fn most(&self, first: f64) -> f64 {
        first * self.limit.ratio + self.limit.slack
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { what, unit, ends, .. } = self;
        let Some((first, last)) = *ends else { return write!(f, "{what}: nothing was read") };
        let (scale, digits) = if *unit == "MB" { (MEGABYTE, 2) } else { (1.0, 0) };
        let [first, last, most] = [first, last, self.most(first)].map(|value| value / scale);
        let verdict = if self.holds() { "flat" } else { "GROWS" };
        let gap = if unit.is_empty() { "" } else { " " };
        write!(f, "{what}: {first:.digits$}{gap}{unit}, then {last:.digits$}; at most {most:.digits$}: {verdict}")
    }
}

/// What was read in one peace, in the order of time.
pub(crate) type Peace<'a> = Vec<&'a Sample>;

/// Judges a run by its samples and by when there was peace.
pub(crate) fn judge(samples: &[Sample], peaces: &[Span], lasts: Duration) -> Vec<Verdict> {
    let peaces: Vec<Peace<'_>> = peaces.iter().map(|peace| in_peace(samples, peace)).collect();
    let steady = steady(samples, lasts);
    let is_steady = |sample: &Sample| steady.contains(&sample.process);
    let is_young = |sample: &Sample| !is_steady(sample) && (YOUNG[0]..YOUNG[1]).contains(&sample.age.as_secs());
    let anonymous = |sample: &Sample| sample.anonymous as f64;
    let of_steady =
        |figure: fn(&Sample) -> f64| move |peace: &Peace<'_>| middle(peace.iter().filter(|it| is_steady(it)).map(|it| figure(it)));
    let of_young = |peace: &Peace<'_>| middle(peace.iter().filter(|it| is_young(it)).map(|it| anonymous(it)));
    let most = |figure: fn(&Sample) -> u64| move |peace: &Peace<'_>| peace.iter().map(|it| figure(it) as f64).max_by(f64::total_cmp);
    let verdict = |what, unit, ends, limit| Verdict { what, unit, ends, limit };
    vec![
        verdict("memory of agents that never end, median", "MB", ends(&peaces, of_steady(|it| it.anonymous as f64)), memory(lasts)),
        verdict("memory of agents of the same age, median", "MB", ends(&peaces, of_young), memory(lasts)),
        verdict("descriptors beside connections, most", "", ends(&peaces, kept), DESCRIPTORS),
        verdict(
            "streams with others, median",
            "",
            ends(&peaces, |peace| middle(peace.iter().map(|it| it.descriptors.streams as f64))),
            STREAMS,
        ),
        verdict("threads, most", "", ends(&peaces, most(|it| it.threads)), DESCRIPTORS),
        verdict(
            "traffic of an agent in peace, median",
            "octets/s",
            ends(&peaces, |peace| middle(rates(peace).map(|(_, rate)| rate))),
            traffic(lasts),
        ),
    ]
}

/// What was read in a peace, once it was calm.
pub(crate) fn in_peace<'a>(samples: &'a [Sample], peace: &Span) -> Peace<'a> {
    samples.iter().filter(|sample| peace.from + CALM <= sample.at && sample.at < peace.to).collect()
}

/// What a process never had fewer of in a peace, of all the most: a file may be open for a moment.
fn kept(peace: &Peace<'_>) -> Option<f64> {
    let mut fewest: BTreeMap<u32, u64> = BTreeMap::new();
    for sample in peace {
        let open = sample.descriptors.others;
        fewest.entry(sample.process).and_modify(|fewest| *fewest = open.min(*fewest)).or_insert(open);
    }
    fewest.values().max().map(|most| *most as f64)
}

/// Processes that live from beginning to end.
pub(crate) fn steady(samples: &[Sample], lasts: Duration) -> BTreeSet<u32> {
    let is_steady = |it: &&Sample| it.age > lasts * 3 / 4 && it.at.saturating_sub(it.age) < lasts / 10;
    samples.iter().filter(is_steady).map(|sample| sample.process).collect()
}

/// What each host sent in a second until a sample, since the one of the same process before.
pub(crate) fn rates<'a>(samples: &'a [&'a Sample]) -> impl Iterator<Item = (&'a Sample, f64)> + 'a {
    let next = |place: usize, sample: &Sample| samples[place + 1..].iter().find(|next| next.process == sample.process);
    samples.iter().enumerate().filter_map(move |(place, sample)| {
        let next = next(place, sample)?;
        let octets = next.octets.saturating_sub(sample.octets) as f64;
        Some((*next, octets / (next.at - sample.at).as_secs_f64()))
    })
}

/// A figure in the first third of all peaces, and in the last: of those in each the one in the middle.
fn ends(peaces: &[Peace<'_>], figure: impl Fn(&Peace<'_>) -> Option<f64>) -> Option<(f64, f64)> {
    let third = peaces.len().div_ceil(3);
    let of = |peaces: &[Peace<'_>]| middle(peaces.iter().filter_map(&figure));
    // The same ones on both sides would show nothing.
    (peaces.len() > 1).then(|| Some((of(&peaces[..third])?, of(&peaces[peaces.len() - third..])?))).flatten()
}

fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    median(&values)
}
