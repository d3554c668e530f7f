use proptest::prelude::*;

use super::*;
use crate::model::{CheckId, check::Probe};
use Status::{Critical, Passing, Warning};

#[test]
fn a_check_is_critical_after_fall_bad_results_in_a_row() {
    let mut bench = Bench::new(1, 3, Passing);
    assert_eq!(bench.run([Passing, Critical, Critical, Passing, Critical, Critical]), [(0, Passing)]);
    assert_eq!(bench.run([Critical]), [(6, Critical)]);
}

#[test]
fn a_check_passes_after_rise_good_results_in_a_row() {
    let mut bench = Bench::new(3, 1, Critical);
    assert_eq!(bench.run([Passing, Passing, Critical, Passing, Passing]), [(2, Critical)]);
    assert_eq!(bench.run([Passing]), [(5, Passing)]);
}

#[test]
fn a_warning_takes_one_result_and_recovery_may_stop_at_it() {
    let mut bench = Bench::new(2, 2, Passing);
    assert_eq!(bench.run([Warning, Critical, Critical]), [(0, Warning), (2, Critical)]);
    assert_eq!(bench.run([Warning, Warning, Passing, Passing]), [(4, Warning), (6, Passing)]);
    assert_eq!(bench.run([Critical, Critical, Warning, Passing, Passing]), [(8, Critical), (10, Warning), (11, Passing)]);
}

#[test]
fn the_first_result_that_confirms_the_stored_status_is_told() {
    let mut bench = Bench::new(1, 3, Passing);
    assert_eq!(bench.run([Critical, Critical]), [], "it confirms nothing yet");
    assert_eq!(bench.run([Passing, Passing]), [(2, Passing)]);
}

#[test]
fn a_reason_alone_is_told_once_in_a_minute() {
    let mut bench = Bench::new(1, 1, Passing);
    let mut reasons = Vec::new();
    for second in 0..150 {
        reasons.extend(bench.finding(Finding::new(Passing, format!("answer {second}"))).map(|state| state.reason));
    }
    assert_eq!(reasons, ["answer 0", "answer 60", "answer 120"]);
}

#[test]
fn what_recovers_twice_waits_for_nothing() {
    let mut bench = Bench::new(1, 1, Passing);
    let told = bench.run([Passing, Critical, Passing, Critical, Passing]);
    assert_eq!(told, [(0, Passing), (1, Critical), (2, Passing), (3, Critical), (4, Passing)]);
}

#[test]
fn what_recovers_often_waits_twice_as_long_each_time() {
    let mut bench = Bench::new(1, 1, Passing);
    let waits: Vec<u64> = (0..9).map(|_| bench.fall_and_recover()).collect();
    assert_eq!(waits, [1, 1, 5, 10, 20, 40, 80, 120, 120]);
}

#[test]
fn what_is_held_back_says_so() {
    let mut bench = Bench::new(1, 1, Passing);
    for _ in 0..7 {
        bench.fall_and_recover();
    }
    bench.run([Critical]);
    let told: Vec<_> = (0..100).filter_map(|_| bench.finding(Finding::new(Passing, "200 OK"))).collect();
    let expected = "recovered, but held back for a while: it recovered 7 times in the last ten minutes";
    assert_eq!(told, [CheckState { status: Critical, reason: expected.into() }]);
}

#[test]
fn recoveries_are_forgotten_after_ten_minutes() {
    let mut bench = Bench::new(1, 1, Passing);
    bench.run([Critical, Passing].repeat(60));
    bench.run([Passing].repeat(900));
    let at = bench.second;
    assert_eq!(bench.run([Critical, Passing]), [(at, Critical), (at + 1, Passing)]);
}

#[test]
fn a_check_that_changes_with_each_run_is_told_seldom() {
    let mut bench = Bench::new(1, 1, Passing);
    let told = bench.run([Critical, Passing].repeat(1_800));
    assert!((20..150).contains(&told.len()), "{} reports in an hour of 3,600 changes", told.len());
}

#[test]
fn a_heartbeat_that_did_not_come_counts_at_once() {
    let mut bench = Bench::new(2, 5, Passing);
    let expired = Finding::critical("no heartbeat");
    assert_eq!(bench.verdict.expire(bench.now(), &expired).map(|it| it.status), Some(Critical));
    assert_eq!(bench.verdict.expire(bench.now(), &expired), None);
    assert_eq!(bench.run([Passing, Passing]), [(1, Passing)]);
}

proptest! {
    #[test]
    fn whatever_happened_before_critical_is_not_delayed_and_passing_not_for_ever(
        history in prop::collection::vec(prop_oneof![Just(Passing), Just(Warning), Just(Critical)], 0..400), rise in 1_u16..4, fall in 1_u16..4,
    ) {
        let mut bench = Bench::new(rise, fall, Passing);
        bench.run(history.clone());
        let mut falling = Bench { verdict: bench.verdict.clone(), ..bench };
        falling.run(vec![Critical; fall.into()]);
        prop_assert_eq!(falling.verdict.status(), Critical);
        bench.run(vec![Passing; usize::from(rise) + LONGEST_HOLD.as_secs() as usize]);
        prop_assert_eq!(bench.verdict.status(), Passing);
    }
}

/// Runs a check each second.
struct Bench {
    verdict: Verdict,
    start: Instant,
    second: u64,
}

impl Bench {
    fn new(rise: u16, fall: u16, initial: Status) -> Bench {
        let probe = Probe { kind: "told".into(), settings: "{}".into(), ttl: Some(Duration::from_secs(1)) };
        let id = CheckId::new("alive").unwrap();
        let check = Check { id, probe, interval: Duration::from_secs(1), timeout: Duration::from_secs(1), rise, fall, initial };
        let verdict = Verdict::new(&check, CheckState { status: initial, reason: "not checked yet".into() });
        Bench { verdict, start: tokio::time::Instant::now().into_std(), second: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.second)
    }

    fn finding(&mut self, finding: Finding) -> Option<CheckState> {
        let told = self.verdict.judge(self.now(), &finding);
        self.second += 1;
        told
    }

    /// How many seconds it took to recover from one bad result.
    fn fall_and_recover(&mut self) -> u64 {
        self.run([Critical]);
        assert_eq!(self.verdict.status(), Critical, "critical is told at once");
        let fell = self.second;
        while self.verdict.status() == Critical {
            self.run([Passing]);
        }
        self.second - fell
    }

    /// What is told of results, one a second, and in which second.
    fn run(&mut self, results: impl IntoIterator<Item = Status>) -> Vec<(u64, Status)> {
        let told = |status| {
            let second = self.second;
            self.finding(Finding::new(status, "result")).map(|state| (second, state.status))
        };
        results.into_iter().filter_map(told).collect()
    }
}
