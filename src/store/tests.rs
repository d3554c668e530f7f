use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::PathBuf,
    time::Duration,
};

use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::model::{
    InstanceId, StoredGrave,
    record::{Body, Key},
};

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let (mut store, contents) = open(root.path(), "default").unwrap();
    assert_eq!((contents.generation, contents.records.len(), contents.peers.len()), (0, 0, 0));
    let peers = vec!["10.0.0.1:8746".parse().unwrap(), "[fd00::1]:8746".parse().unwrap()];
    let graves = vec![StoredGrave { node: NodeId(u64::MAX), generation: 7, left: Duration::from_secs(172_800) }];
    store.append(&[StoreOp::Generation(1), put("web-1"), put("web-2"), StoreOp::Peers(peers.clone())]).unwrap();
    let members = vec![NodeId(1), NodeId(u64::MAX)];
    store.append(&[StoreOp::Graves(graves.clone()), StoreOp::Members(members.clone())]).unwrap();
    store.append(&[StoreOp::Delete(key("web-1")), StoreOp::Status { key: key("web-2"), status: body("critical") }]).unwrap();
    drop(store);

    let (_store, reopened) = open(root.path(), "default").unwrap();
    let records = BTreeMap::from([(key("web-2"), (body("web-2"), body("critical")))]);
    assert_eq!(reopened, Contents { node_id: contents.node_id, generation: 1, records, peers, members, graves });
}

#[test]
fn two_folders_have_two_node_ids() {
    let root = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let mut id = |dir| Store::open(&root.path().join(dir), &ClusterName::new("default").unwrap(), &mut rng).unwrap().1.node_id;
    assert_ne!(id("a"), id("b"));
    assert_eq!(id("a"), id("a"));
}

#[test]
fn a_folder_that_another_agent_uses_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let (store, _) = open(root.path(), "default").unwrap();
    let error = open(root.path(), "default").unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().contains(root.path().to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("--data-dir"), "{error}");
    drop(store);
    open(root.path(), "default").unwrap();
}

#[test]
fn the_lock_holds_when_the_journal_was_replaced() {
    let root = tempfile::tempdir().unwrap();
    let (mut store, _) = open(root.path(), "default").unwrap();
    let before = fs::metadata(journal(root.path())).unwrap().len();
    compact(&mut store);
    assert!(fs::metadata(journal(root.path())).unwrap().len() > before);
    assert!(matches!(open(root.path(), "default"), Err(StoreError::Locked { .. })));
}

#[test]
fn a_replaced_journal_holds_the_same_and_is_written_on() {
    let root = tempfile::tempdir().unwrap();
    let (mut store, contents) = open(root.path(), "default").unwrap();
    store.append(&[put("web-1"), StoreOp::Generation(5)]).unwrap();
    compact(&mut store);
    store.append(&[put("web-2")]).unwrap();
    drop(store);
    assert!(fs::metadata(journal(root.path())).unwrap().len() < COMPACT_OVER_OCTETS);
    assert_eq!(names(root.path()), ["tidings.journal", "tidings.lock"]);
    let (_store, reopened) = open(root.path(), "default").unwrap();
    assert_eq!((reopened.node_id, reopened.generation), (contents.node_id, 5));
    assert_eq!(reopened.records.keys().cloned().collect::<Vec<_>>(), [key("large"), key("web-1"), key("web-2")]);
}

#[test]
fn what_an_interrupted_replacement_left_is_not_taken_for_the_journal() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("tidings.journal.new"), "half a jour").unwrap();
    let (mut store, _) = open(root.path(), "default").unwrap();
    store.append(&[put("web-1")]).unwrap();
    fs::write(root.path().join("tidings.journal.new"), "half a jour").unwrap();
    compact(&mut store);
    drop(store);
    assert_eq!(open(root.path(), "default").unwrap().1.records.len(), 2);
}

#[test]
fn an_unfinished_batch_is_cut_off_the_file() {
    let root = tempfile::tempdir().unwrap();
    let (mut store, _) = open(root.path(), "default").unwrap();
    store.append(&[put("web-1")]).unwrap();
    let whole = fs::read(journal(root.path())).unwrap();
    store.append(&[put("web-2"), put("web-3")]).unwrap();
    drop(store);
    let longer = fs::read(journal(root.path())).unwrap();
    fs::write(journal(root.path()), &longer[..longer.len() - 1]).unwrap();

    let (mut store, contents) = open(root.path(), "default").unwrap();
    assert_eq!(contents.records.len(), 1);
    assert_eq!(fs::read(journal(root.path())).unwrap(), whole);
    store.append(&[put("web-4")]).unwrap();
    drop(store);
    assert_eq!(open(root.path(), "default").unwrap().1.records.len(), 2);
}

#[test]
fn a_folder_that_can_not_be_used_is_left_as_it_is() {
    let check = |claim: &str, cluster: &str, change: fn(&mut Vec<u8>), advice: &str| {
        let root = tempfile::tempdir().unwrap();
        let (mut store, _) = open(root.path(), "default").unwrap();
        store.append(&[put("web-1")]).unwrap();
        store.append(&[put("web-2")]).unwrap();
        drop(store);
        let mut octets = fs::read(journal(root.path())).unwrap();
        change(&mut octets);
        fs::write(journal(root.path()), &octets).unwrap();
        let error = open(root.path(), cluster).expect_err(claim).to_string();
        assert!(error.contains(advice), "{claim}: {error}");
        assert!(error.contains(journal(root.path()).to_str().unwrap()), "{claim}: {error}");
        assert_eq!(fs::read(journal(root.path())).unwrap(), octets, "{claim}");
        assert_eq!(names(root.path()), ["tidings.journal", "tidings.lock"], "{claim}");
    };
    check("another cluster", "staging", |_| (), "run it with --cluster default");
    check("damage", "default", |octets| octets[70] ^= 1, "restore the folder from a backup");
    check("a foreign file", "default", |octets| *octets = b"#!/bin/sh\necho hello world\n".to_vec(), "move that file away");
    check("an empty file", "default", |octets| octets.clear(), "damaged at octet 0");
    check("a newer format", "default", newer, "run the newer program that wrote it");
}

#[test]
fn in_a_folder_of_something_else_nothing_is_created() {
    let root = tempfile::tempdir().unwrap();
    fs::write(journal(root.path()), "notes of another program").unwrap();
    assert!(matches!(open(root.path(), "default"), Err(StoreError::Foreign { .. })));
    assert_eq!(names(root.path()), ["tidings.journal"]);
}

#[test]
fn a_folder_that_is_a_file_is_an_error_that_names_it() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file, "default").unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()), "{error}");
}

#[test]
fn what_is_created_is_for_its_user_alone() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("var/lib/tidings");
    let (mut store, _) = open(&dir, "default").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("tidings.lock")), 0o600);
    assert_eq!(mode(&journal(&dir)), 0o600);
    compact(&mut store);
    assert_eq!(mode(&journal(&dir)), 0o600);
}

#[test]
fn a_folder_that_is_there_keeps_its_mode() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    fs::DirBuilder::new().mode(0o750).create(&dir).unwrap();
    open(&dir, "default").unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o750);
}

fn open(dir: &Path, cluster: &str) -> Result<(Store, Contents), StoreError> {
    Store::open(dir, &ClusterName::new(cluster).unwrap(), &mut StdRng::seed_from_u64(7))
}

/// Writes until the journal is replaced.
fn compact(store: &mut Store) {
    let large: Body = vec![1; 60_000].into();
    for _ in 0..6 {
        store.append(&[StoreOp::Put { key: key("large"), definition: large.clone(), status: body("") }]).unwrap();
    }
}

fn newer(octets: &mut Vec<u8>) {
    octets.truncate(8);
    octets.extend(2_u32.to_le_bytes());
    octets.extend(crc32fast::hash(octets).to_le_bytes());
    octets.extend(b"whatever comes then");
}

fn journal(dir: &Path) -> PathBuf {
    dir.join("tidings.journal")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn key(id: &str) -> Key {
    Key::instance(&InstanceId::new(id).unwrap())
}

fn body(text: &str) -> Body {
    text.as_bytes().into()
}

fn put(id: &str) -> StoreOp {
    StoreOp::Put { key: key(id), definition: body(id), status: body("passing") }
}
