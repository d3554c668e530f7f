//! A table that goes on: what changes is added below.

use std::{collections::BTreeMap, mem};

use anstyle::Style;
use jiff::Timestamp;

use super::{
    super::output::{FAINT, HEADING},
    Row, render,
};

/// What was shown so far. Columns stay as wide as they have been, so that later lines stand below earlier ones.
#[derive(Debug)]
pub(in crate::cli) struct Running<T> {
    shown: Option<BTreeMap<Vec<String>, T>>,
    widths: Vec<u16>,
}

impl<T: Row> Running<T> {
    /// A table of which nothing was shown.
    pub(in crate::cli) fn new() -> Running<T> {
        Running { shown: None, widths: Vec::new() }
    }

    /// The lines for what is there now: the first time a heading and all of it, and later what differs from the time before.
    /// Each says when, and what happened.
    pub(in crate::cli) fn go_on(&mut self, items: Vec<T>, now: Timestamp) -> String {
        let mut lines = Vec::new();
        let (mut before, appears) = match self.shown.take() {
            Some(before) => (before, "new"),
            None => {
                lines.push((HEADING, ["TIME", "CHANGE"].iter().chain(T::HEADING).map(|&name| name.to_owned()).collect()));
                (BTreeMap::new(), "there")
            }
        };
        let mut after = BTreeMap::new();
        let mut happened = Vec::new();
        for item in items {
            let key = owned(item.key());
            let change = match before.remove(&key) {
                Some(earlier) if item.is_as(&earlier) => None,
                Some(_) => Some("changed"),
                None if after.contains_key(&key) => None,
                None => Some(appears),
            };
            happened.extend(change.map(|change| line(change, &item, now)));
            after.insert(key, item);
        }
        lines.extend(mem::take(&mut before).values().map(|item| (FAINT, line("gone", item, now).1)));
        lines.extend(happened);
        self.shown = Some(after);
        if lines.is_empty() { String::new() } else { render(lines, &mut self.widths) }
    }
}

fn line<T: Row>(change: &str, item: &T, now: Timestamp) -> (Style, Vec<String>) {
    let (style, cells) = item.cells(now);
    (style, [format!("{now:.0}"), change.to_owned()].into_iter().chain(cells).collect())
}

fn owned(key: Vec<&str>) -> Vec<String> {
    key.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{bare, db, now},
        *,
    };
    use crate::cli::view::Node;

    #[test]
    fn all_is_shown_first_and_what_changed_later_below_the_same_columns() {
        let mut table = Running::new();
        assert_eq!(
            bare(&table.go_on(vec![node("db-1", "alive"), node("db-2", "alive")], now())),
            "TIME                  CHANGE  NODE  STATE  SINCE   ADDRESSES          GOSSIP         ZONE  INSTANCES  VERSION  NOTE\n\
             2026-01-01T00:02:00Z  there   db-1  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n\
             2026-01-01T00:02:00Z  there   db-2  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n"
        );
        assert_eq!(
            bare(&table.go_on(vec![node("db-3", "alive"), node("db-2", "down")], now())),
            "2026-01-01T00:02:00Z  gone     db-1  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n\
             2026-01-01T00:02:00Z  new      db-3  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n\
             2026-01-01T00:02:00Z  changed  db-2  down   2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    refused\n"
        );
        let later = bare(&table.go_on(vec![node("db-2", "down")], now()));
        assert!(later.starts_with("2026-01-01T00:02:00Z  gone     db-3"), "{later}");
    }

    #[test]
    fn what_stays_as_it_is_has_no_line() {
        let mut table = Running::new();
        assert_eq!(bare(&table.go_on(Vec::<Node>::new(), now())).lines().count(), 1);
        assert_eq!(table.go_on(vec![], now()), "");
        assert_eq!(table.go_on(vec![node("db-1", "alive")], now()).lines().count(), 1);
        assert_eq!(table.go_on(vec![node("db-1", "alive")], now()), "");
        let since = Node { since: "2026-01-01T00:01:00Z".into(), ..node("db-1", "alive") };
        assert_eq!(table.go_on(vec![since], now()), "");
        // Two that can't be told apart are one.
        let twice = vec![node("db-1", "alive"), node("db-1", "alive")];
        assert_eq!(table.go_on(twice, now()), "");
    }

    fn node(name: &str, state: &str) -> Node {
        Node { id: name.into(), name: name.into(), state: state.into(), reason: "refused".into(), ..db() }
    }
}
