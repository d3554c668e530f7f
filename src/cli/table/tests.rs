//! What tables look like.

use super::*;
use crate::cli::{
    output::BAD,
    view::{Counts, HeldBack, Instance, Node, Service},
};

#[test]
fn nodes_are_shown_with_the_reason_for_being_away() {
    let mut away = db();
    (away.name, away.state, away.reason) = ("db-2".into(), "down".into(), "refused a connection".into());
    assert_eq!(
        bare(&whole(&[db(), away], now())),
        "NODE  STATE  SINCE   ADDRESSES          GOSSIP         ZONE  INSTANCES  VERSION  NOTE\n\
         db-1  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n\
         db-2  down   2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    refused a connection\n"
    );
}

#[test]
fn a_column_that_nobody_needs_is_left_out() {
    assert!(!bare(&whole(&[db()], now())).contains("NOTE"));
    let mut disputed = db();
    disputed.name_conflict = true;
    assert!(bare(&whole(&[disputed], now())).contains("another node holds its name"));
}

#[test]
fn services_are_shown_with_their_counts() {
    let web = Service {
        name: "web".into(),
        tags: vec!["v1".into(), "v2".into()],
        counts: Counts { total: 6, passing: 3, warning: 2, critical: 1, held_back: 1 },
    };
    assert_eq!(
        bare(&whole(&[web], now())),
        "SERVICE  INSTANCES  PASSING  WARNING  CRITICAL  HELD BACK  TAGS\n\
         web      6          3        2        1         1          v1, v2\n"
    );
}

#[test]
fn instances_are_shown_with_where_they_are_and_why_they_are_held_back() {
    let mut held_back = web();
    held_back.held_back = Some(HeldBack { detail: "node db-2 is down".into() });
    held_back.protocol = "udp".into();
    assert_eq!(
        bare(&whole(&[web(), held_back], now())),
        "SERVICE  ID     NODE  ENDPOINT                           STATUS   SINCE   WEIGHT  TAGS  HELD BACK\n\
         web      web-1  db-1  10.0.0.5:80, [fd00::5]:80          passing  2m ago  10      v1    -\n\
         web      web-1  db-1  10.0.0.5:80/udp, [fd00::5]:80/udp  passing  2m ago  10      v1    node db-2 is down\n"
    );
}

#[test]
fn a_line_stays_a_line_whatever_a_cell_holds() {
    let mut node = db();
    (node.state, node.reason) = ("down".into(), "a\nb\u{1b}[2J".into());
    assert_eq!(bare(&whole(&[node], now())).lines().count(), 2);
}

#[test]
fn what_is_bad_stands_out_on_a_terminal() {
    let mut node = db();
    node.state = "down".into();
    assert!(whole(&[node], now()).contains(&BAD.to_string()));
    assert!(!whole(&[db()], now()).contains(&BAD.to_string()));
}

/// What is seen where there are no colours.
pub(super) fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

pub(super) fn now() -> Timestamp {
    "2026-01-01T00:02:00Z".parse().unwrap()
}

pub(super) fn db() -> Node {
    Node {
        id: "aa".into(),
        name: "db-1".into(),
        state: "alive".into(),
        reason: "answers".into(),
        since: "2026-01-01T00:00:00Z".into(),
        addresses: vec!["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()],
        gossip: "10.0.0.5:8746".into(),
        zone: None,
        version: "0.1.0".into(),
        instances: 2,
        name_conflict: false,
        maintenance: None,
        encryption: Default::default(),
        checks: Vec::new(),
    }
}

pub(super) fn web() -> Instance {
    Instance {
        node: Some("db-1".into()),
        node_id: "aa".into(),
        id: "web-1".into(),
        service: "web".into(),
        addresses: vec!["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()],
        port: 80,
        protocol: "tcp".into(),
        tags: vec!["v1".into()],
        weight: 10,
        status: "passing".into(),
        since: "2026-01-01T00:00:00Z".into(),
        held_back: None,
    }
}
