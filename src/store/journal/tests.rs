mod fake_disk;

use std::{net::SocketAddr, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    model::{
        NodeId, StoredGrave,
        record::{Body, Key, Kind},
    },
    store::{BATCH_OCTETS, BODY_OCTETS, GRAVES, MEMBERS, PEERS},
};
use fake_disk::{FakeDisk, Fault};

#[test]
fn a_journal_cut_at_any_length_gives_a_prefix_of_its_batches() {
    let Sample { octets, states, ends } = sample();
    for length in 0..octets.len() {
        let opened = open(&octets[..length]);
        if length < ends[0] {
            assert!(matches!(opened, Err(StoreError::Damaged { .. })), "{length}");
            continue;
        }
        let whole = ends.iter().rposition(|end| *end <= length).unwrap();
        let journal = opened.unwrap();
        assert_eq!(journal.contents, states[whole], "cut at {length}");
        assert_eq!(journal.disk.octets, octets[..ends[whole]], "cut at {length}");
        assert_eq!(journal.disk.on_disk, journal.disk.octets, "cut at {length}");
    }
}

#[test]
fn a_changed_octet_is_reported_unless_it_can_be_an_unfinished_last_batch() {
    let Sample { octets, states, ends } = sample();
    let last = ends[ends.len() - 2];
    for at in 0..octets.len() {
        for flip in [0x01, 0x80, 0xFF, octets[at]] {
            let mut changed = octets.clone();
            changed[at] ^= flip;
            if flip == 0 {
                continue;
            }
            match open(&changed) {
                Ok(journal) => {
                    assert!(at >= last, "{flip:#x} at {at} went unnoticed");
                    assert_eq!(journal.contents, states[states.len() - 2], "{flip:#x} at {at}");
                    assert_eq!(journal.disk.octets, octets[..last]);
                }
                Err(StoreError::Foreign { .. }) => assert!(at < 8, "{flip:#x} at {at}"),
                Err(StoreError::Damaged { .. }) => assert!((8..last).contains(&at), "{flip:#x} at {at}"),
                Err(other) => panic!("{flip:#x} at {at}: {other}"),
            }
        }
    }
}

#[test]
fn batches_that_are_missing_repeated_or_from_another_journal_are_damage() {
    let Sample { octets, ends, .. } = sample();
    let frame = |n: usize| &octets[ends[n]..ends[n + 1]];
    let start = &octets[..ends[0]];
    let check = |claim: &str, octets: Vec<u8>| {
        assert!(matches!(open(&octets), Err(StoreError::Damaged { .. })), "{claim}");
    };
    check("missing", [start, frame(0), frame(2)].concat());
    check("repeated", [start, frame(0), frame(0), frame(1)].concat());
    check("out of order", [start, frame(1), frame(0)].concat());
    check("two bad ones before a good one", [start, &vec![0; ends[2] - ends[0]], frame(2)].concat());

    let other = Header { node_id: NodeId(8), cluster: cluster() }.encode();
    let journal = open(&[&other, frame(0)].concat()).unwrap();
    assert_eq!(journal.contents.records.len(), 0, "a frame of another node's journal counts as rubbish");
}

#[test]
fn zeros_and_rubbish_at_the_end_are_cut_off() {
    let Sample { octets, states, .. } = sample();
    for tail in [vec![0; 1], vec![0; 5000], vec![0xAA; 5000], octets[..200].to_vec()] {
        let journal = open(&[octets.clone(), tail].concat()).unwrap();
        assert_eq!(Some(&journal.contents), states.last());
        assert_eq!(journal.disk.octets, octets);
    }
}

#[test]
fn a_body_that_looks_like_a_batch_is_not_taken_for_one() {
    let Sample { octets, ends, .. } = sample();
    let later = format::encode_frame(NodeId(8), 90, &[StoreOp::Generation(9)]).unwrap();
    let mut journal = open(&octets).unwrap();
    let state = journal.contents.clone();
    journal.append(&[put("trap", &later)]).unwrap();
    let torn = &journal.disk.octets[..journal.disk.octets.len() - 1];
    let mut torn = torn.to_vec();
    torn[ends[ends.len() - 1]] ^= 1;
    assert_eq!(open(&torn).unwrap().contents, state);
}

#[test]
fn a_batch_is_one_write_and_one_sync() {
    let mut journal = empty();
    let before = (journal.disk.writes, journal.disk.syncs);
    journal.append(&[put("a", b"1"), put("b", b"2"), StoreOp::Generation(3)]).unwrap();
    assert_eq!((journal.disk.writes, journal.disk.syncs), (before.0 + 1, before.1 + 1));
    journal.append(&[]).unwrap();
    assert_eq!((journal.disk.writes, journal.disk.syncs), (before.0 + 1, before.1 + 1));
}

#[test]
fn what_is_read_is_synced_before_it_is_told() {
    let mut disk = FakeDisk::holding(&sample().octets);
    disk.next = Fault::Sync;
    let path = Path::new("tidings.journal");
    let octets = disk.octets.clone();
    assert!(matches!(Journal::open(disk, path, &octets, &cluster()), Err(StoreError::Unsynced { .. })));
}

#[test]
fn a_full_disk_leaves_the_journal_as_it_was_and_takes_the_next_batch() {
    let mut journal = open(&sample().octets).unwrap();
    let (octets, state) = (journal.disk.octets.clone(), journal.contents.clone());
    for partly in [0, 10, 40] {
        journal.disk.next = Fault::Full { partly };
        let error = journal.append(&[put("late", b"x")]).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert_eq!((&journal.disk.octets, &journal.disk.on_disk), (&octets, &octets));
        assert!(journal.disk.unsynced.is_empty(), "what was cut off can come back");
        assert_eq!(journal.contents, state);
    }
    journal.append(&[put("late", b"x")]).unwrap();
    assert_eq!(open(&journal.disk.octets).unwrap().contents, journal.contents);
    assert!(journal.contents.records.contains_key(&key("late")));
}

#[test]
fn another_error_of_a_write_is_not_called_full() {
    let mut journal = empty();
    journal.disk.next = Fault::Broken;
    assert!(matches!(journal.append(&[StoreOp::Generation(1)]), Err(StoreError::Io { .. })));
    journal.append(&[StoreOp::Generation(1)]).unwrap();
}

#[test]
fn a_part_that_can_not_be_cut_off_ends_all_writing() {
    let mut journal = empty();
    journal.disk.next = Fault::Full { partly: 10 };
    journal.disk.truncates = false;
    assert!(matches!(journal.append(&[StoreOp::Generation(1)]), Err(StoreError::Full { .. })));
    assert!(matches!(journal.append(&[StoreOp::Generation(1)]), Err(StoreError::Failed { .. })));
    assert_eq!(open(&journal.disk.octets).unwrap().contents.generation, 0);
}

#[test]
fn a_failed_sync_ends_all_writing_and_the_batch_is_not_shown_to_the_next_start() {
    let mut journal = empty();
    journal.append(&[StoreOp::Generation(1)]).unwrap();
    journal.disk.next = Fault::Sync;
    assert!(matches!(journal.append(&[StoreOp::Generation(2)]), Err(StoreError::Unsynced { .. })));
    assert!(matches!(journal.append(&[StoreOp::Generation(2)]), Err(StoreError::Failed { .. })));
    assert_eq!(journal.contents.generation, 1);
    assert_eq!(open(&journal.disk.octets).unwrap().contents.generation, 1);
}

#[test]
fn a_batch_over_a_limit_is_refused_before_anything_is_written() {
    let big: Body = vec![7; BODY_OCTETS + 1].into();
    let peer: SocketAddr = "10.0.0.1:8746".parse().unwrap();
    let largest = put("x", &vec![7; BODY_OCTETS]);
    let check = |ops: Vec<StoreOp>| {
        let mut journal = empty();
        let before = journal.disk.octets.clone();
        let error = journal.append(&ops).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
        assert_eq!((&journal.disk.octets, journal.contents.records.len()), (&before, 0));
    };
    check(vec![put("x", &big)]);
    check(vec![put("x", b""), StoreOp::Status { key: key("x"), status: big }]);
    check(vec![put(&"x".repeat(64), b"")]);
    check(vec![StoreOp::Peers(vec![peer; PEERS + 1])]);
    check(vec![StoreOp::Members(vec![NodeId(1); MEMBERS + 1])]);
    check(vec![StoreOp::Graves(vec![grave(1, 1); GRAVES + 1])]);
    check((0..=RECORDS).map(|n| put(&n.to_string(), b"")).collect());
    check(vec![largest.clone(); BATCH_OCTETS / BODY_OCTETS]);

    let mut journal = empty();
    journal.append(&[largest, StoreOp::Peers(vec![peer; PEERS]), StoreOp::Graves(vec![grave(u64::MAX, u32::MAX); GRAVES])]).unwrap();
    journal.append(&[StoreOp::Members(vec![NodeId(u64::MAX); MEMBERS])]).unwrap();
    journal.append(&(1..RECORDS).map(|n| put(&n.to_string(), b"")).collect::<Vec<_>>()).unwrap();
    assert_eq!(open(&journal.disk.octets).unwrap().contents, journal.contents);
}

#[test]
fn compaction_keeps_the_contents_and_bounds_the_journal() {
    let mut journal = fill(empty());
    assert!(journal.disk.replaced > 1 && journal.compactions() == journal.disk.replaced as u64);
    assert!(journal.length < COMPACT_OVER_OCTETS + 4096, "{}", journal.length);
    journal.append(&[put("after", b"x")]).unwrap();
    assert_eq!(open(&journal.disk.octets).unwrap().contents, journal.contents);
    assert_eq!(journal.disk.on_disk, journal.disk.octets);
}

#[test]
fn a_journal_that_is_mostly_live_is_not_compacted() {
    let mut journal = empty();
    for n in 0..600 {
        journal.append(&[put(&n.to_string(), &[1; 1024])]).unwrap();
    }
    assert!(journal.length > COMPACT_OVER_OCTETS);
    assert_eq!(journal.disk.replaced, 0);
}

#[test]
fn a_compaction_without_space_costs_nothing_but_space() {
    let mut journal = empty();
    journal.disk.replaces = || Err(Unreplaced::Kept(io::ErrorKind::StorageFull.into()));
    let mut journal = fill(journal);
    assert_eq!(open(&journal.disk.octets).unwrap().contents, journal.contents);
    assert!(journal.disk.replace_calls < 8, "it is not tried anew with each batch, but was {} times", journal.disk.replace_calls);
    journal.disk.replaces = || Ok(());
    assert!(fill(journal).disk.replaced > 0);
}

#[test]
fn after_a_replacement_that_may_not_last_nothing_is_written() {
    let mut journal = empty();
    journal.disk.replaces = || Err(Unreplaced::Unsure(io::ErrorKind::Other.into()));
    let body = vec![1; BODY_OCTETS];
    let results: Vec<_> = (0..6).map(|_| journal.append(&[put("x", &body)])).collect();
    let acknowledged = results.iter().take_while(|result| result.is_ok()).count();
    assert!(acknowledged > 0 && matches!(results[acknowledged], Err(StoreError::Failed { .. })), "{results:?}");
    assert!(matches!(results.last(), Some(Err(StoreError::Failed { .. }))));
}

#[test]
fn a_status_without_a_record_is_void() {
    let mut journal = empty();
    journal.append(&[put("x", b"d"), StoreOp::Delete(key("x")), StoreOp::Status { key: key("x"), status: b"s"[..].into() }]).unwrap();
    assert_eq!(journal.contents.records.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_loss_of_power_loses_nothing_that_was_acknowledged(
        steps in proptest::collection::vec((batch(), fault()), 1..20),
        kept in 0.0..1.0_f64,
        zeroed in 0.0..1.0_f64,
    ) {
        let mut journal = empty();
        let mut acknowledged = journal.contents.clone();
        let mut attempted = acknowledged.clone();
        for (ops, fault) in steps {
            journal.disk.next = fault;
            attempted = acknowledged.clone();
            ops.iter().for_each(|op| attempted.apply(op.clone()));
            match journal.append(&ops) {
                Ok(()) => acknowledged = attempted.clone(),
                Err(StoreError::Unsynced { .. }) => break,
                Err(StoreError::Full { .. } | StoreError::Io { .. }) => {}
                Err(other) => panic!("{other}"),
            }
            prop_assert_eq!(&journal.contents, &acknowledged);
        }
        let reopened = open(&journal.disk.after_power_loss(kept, zeroed)).unwrap().contents;
        prop_assert!(reopened == acknowledged || reopened == attempted, "{:?}", reopened);
        let reopened = open(&journal.disk.octets).unwrap().contents;
        prop_assert_eq!(reopened, acknowledged);
    }
}

fn batch() -> impl Strategy<Value = Vec<StoreOp>> {
    let id = || "[a-d]";
    let body = || proptest::collection::vec(any::<u8>(), 0..40);
    let op = prop_oneof![
        any::<u32>().prop_map(StoreOp::Generation),
        (id(), body()).prop_map(|(id, body)| put(&id, &body)),
        id().prop_map(|id| StoreOp::Delete(key(&id))),
        (id(), body()).prop_map(|(id, body)| StoreOp::Status { key: key(&id), status: body.into() }),
        any::<u16>().prop_map(|port| StoreOp::Peers(vec![([127, 0, 0, 1], port).into()])),
        any::<u64>().prop_map(|node| StoreOp::Members(vec![NodeId(node)])),
        any::<(u64, u32)>().prop_map(|(node, generation)| StoreOp::Graves(vec![grave(node, generation)])),
    ];
    proptest::collection::vec(op, 1..4)
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![8 => Just(Fault::None), 1 => Just(Fault::Sync), 2 => (0..90_usize).prop_map(|partly| Fault::Full { partly }), 1 => Just(Fault::Broken)]
}

/// A small journal, what its octets amount to after each batch, and where the header and each batch end.
struct Sample {
    octets: Vec<u8>,
    states: Vec<Contents>,
    ends: Vec<usize>,
}

fn sample() -> Sample {
    let mut journal = empty();
    let mut states = vec![journal.contents.clone()];
    let mut ends = vec![journal.length as usize];
    let batches = [
        vec![StoreOp::Generation(1)],
        vec![put("web-1", b"definition"), put("web-2", b"another")],
        vec![StoreOp::Status { key: key("web-1"), status: b"critical"[..].into() }, StoreOp::Delete(key("web-2"))],
        vec![StoreOp::Peers(vec!["10.0.0.1:8746".parse().unwrap(), "[fd00::1]:8746".parse().unwrap()])],
        vec![StoreOp::Graves(vec![grave(9, 3), grave(10, 1)]), StoreOp::Members(vec![NodeId(9)])],
        vec![put("web-2", b"back"), StoreOp::Put { key: Key::node(), definition: b"node"[..].into(), status: b""[..].into() }],
    ];
    for batch in batches {
        journal.append(&batch).unwrap();
        states.push(journal.contents.clone());
        ends.push(journal.length as usize);
    }
    Sample { octets: journal.disk.octets, states, ends }
}

/// Writes several times what is compacted over, of which little is live.
fn fill(mut journal: Journal<FakeDisk>) -> Journal<FakeDisk> {
    journal.append(&[StoreOp::Generation(4), StoreOp::Peers(vec!["10.0.0.1:8746".parse().unwrap()])]).unwrap();
    for n in 0..2_000_u32 {
        journal.append(&[put(&(n % 10).to_string(), &[n as u8; 500])]).unwrap();
    }
    journal
}

fn empty() -> Journal<FakeDisk> {
    open(&Header { node_id: NodeId(7), cluster: cluster() }.encode()).unwrap()
}

fn open(octets: &[u8]) -> Result<Journal<FakeDisk>, StoreError> {
    Journal::open(FakeDisk::holding(octets), Path::new("tidings.journal"), octets, &cluster())
}

fn cluster() -> ClusterName {
    ClusterName::new("default").unwrap()
}

fn key(id: &str) -> Key {
    Key { kind: Kind::INSTANCE, id: id.into() }
}

fn grave(node: u64, generation: u32) -> StoredGrave {
    StoredGrave { node: NodeId(node), generation, left: Duration::from_secs(u64::from(u32::MAX)) }
}

fn put(id: &str, definition: &[u8]) -> StoreOp {
    StoreOp::Put { key: key(id), definition: definition.into(), status: b"passing"[..].into() }
}
