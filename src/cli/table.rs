//! Tables for people: pure functions from what the API answered to text.

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

use anstyle::Style;
use comfy_table::{Row, Table, presets::NOTHING};
use jiff::{SignedDuration, Timestamp};

use super::{
    output::{BAD, DOUBTFUL, FAINT, HEADING, plain},
    view::{Check, Instance, Node, Service},
};
use crate::config::Shown;

/// Nodes, a line each.
pub(super) fn nodes(nodes: &[Node], now: Timestamp) -> String {
    let rows = nodes.iter().map(|node| {
        let style = match node.state.as_str() {
            "alive" if node.maintenance.is_none() && node.checks.iter().all(|check| check.status == "passing") => Style::new(),
            "down" => BAD,
            "left" => FAINT,
            _ => DOUBTFUL,
        };
        let cells = [
            node.name.clone(),
            node.state.clone(),
            ago(&node.since, now),
            list(node.addresses.iter()),
            node.gossip.clone(),
            node.zone.clone().unwrap_or_default(),
            node.instances.to_string(),
            node.version.clone(),
            note_on(node),
        ];
        (style, cells)
    });
    render(["NODE", "STATE", "SINCE", "ADDRESSES", "GOSSIP", "ZONE", "INSTANCES", "VERSION", "NOTE"], rows)
}

/// What is not as it should be.
fn note_on(node: &Node) -> String {
    let conflict = node.name_conflict.then(|| "another node holds its name".to_owned());
    let maintenance = node.maintenance.as_ref().map(|reason| format!("in maintenance: {reason}"));
    let reason = (node.state != "alive").then(|| node.reason.clone());
    let checks = node.checks.iter().filter(|check| check.status != "passing");
    let checks = checks.map(|check| format!("its check {} is {}: {}", check.id, check.status, check.reason));
    conflict.into_iter().chain(reason).chain(maintenance).chain(checks).collect::<Vec<_>>().join("; ")
}

/// Services, a line each.
pub(super) fn services(services: &[Service]) -> String {
    let rows = services.iter().map(|service| {
        let counts = &service.counts;
        let style = match counts.held_back {
            0 if counts.warning == 0 => Style::new(),
            held_back if held_back >= counts.total => BAD,
            _ => DOUBTFUL,
        };
        let numbers = [counts.total, counts.passing, counts.warning, counts.critical, counts.held_back].map(|count| count.to_string());
        let [total, passing, warning, critical, held_back] = numbers;
        (style, [service.name.clone(), total, passing, warning, critical, held_back, list(service.tags.iter())])
    });
    render(["SERVICE", "INSTANCES", "PASSING", "WARNING", "CRITICAL", "HELD BACK", "TAGS"], rows)
}

/// Instances, a line each.
pub(super) fn instances(instances: &[Instance], now: Timestamp) -> String {
    let rows = instances.iter().map(|instance| {
        let style = match (&instance.held_back, instance.status.as_str()) {
            (Some(_), _) => BAD,
            (None, "passing") => Style::new(),
            (None, _) => DOUBTFUL,
        };
        let cells = [
            instance.service.clone(),
            instance.id.clone(),
            instance.node.clone().unwrap_or_default(),
            list(instance.addresses.iter().map(|ip| endpoint(*ip, instance.port, &instance.protocol))),
            instance.status.clone(),
            ago(&instance.since, now),
            instance.weight.to_string(),
            list(instance.tags.iter()),
            instance.held_back.as_ref().map(|why| why.detail.clone()).unwrap_or_default(),
        ];
        (style, cells)
    });
    render(["SERVICE", "ID", "NODE", "ENDPOINT", "STATUS", "SINCE", "WEIGHT", "TAGS", "HELD BACK"], rows)
}

/// Checks, a line each.
pub(super) fn checks(checks: &[Check]) -> String {
    let rows = checks.iter().map(|check| {
        let style = match check.status.as_str() {
            "passing" => Style::new(),
            "warning" => DOUBTFUL,
            _ => BAD,
        };
        let node = check.node.clone().unwrap_or_default();
        let (service, instance) = (check.service.clone().unwrap_or_default(), check.instance.clone().unwrap_or_default());
        (style, [service, instance, node, check.id.clone(), check.status.clone(), check.reason.clone()])
    });
    render(["SERVICE", "INSTANCE", "NODE", "CHECK", "STATUS", "REASON"], rows)
}

/// Settings, a line each.
pub(super) fn settings(shown: &[Shown]) -> String {
    let rows = shown.iter().map(|Shown { key, value, from }| {
        let style = if from == "default" { FAINT } else { Style::new() };
        (style, [key.clone(), value.clone(), from.clone()])
    });
    render(["SETTING", "VALUE", "FROM"], rows)
}

/// A heading and lines below it. A last column in which nobody has anything is left out.
fn render<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = (Style, [String; N])>) -> String {
    let rows: Vec<(Style, [String; N])> = rows.collect();
    let used = if rows.iter().all(|(_, cells)| cells[N - 1].is_empty()) { N - 1 } else { N };
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(&heading[..used]);
    for (_, cells) in &rows {
        table.add_row(Row::from(cells[..used].iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { plain(cell) })));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let styles = [HEADING].into_iter().chain(rows.iter().map(|(style, _)| *style));
    table.lines().zip(styles).fold(String::new(), |mut text, (line, style)| {
        writeln!(text, "{style}{}{style:#}", line.trim_end()).expect("a string takes all text");
        text
    })
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// `10.0.0.5:8080`, and which protocol where it is not the usual one.
fn endpoint(ip: IpAddr, port: u16, protocol: &str) -> String {
    let address = SocketAddr::new(ip, port);
    if protocol == "tcp" { address.to_string() } else { format!("{address}/{protocol}") }
}

/// How long ago that was, in its largest unit.
fn ago(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return since.to_owned() };
    let seconds = now.duration_since(since).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::view::Counts, *};

    #[test]
    fn nodes_are_shown_with_the_reason_for_being_away() {
        let mut away = db();
        (away.name, away.state, away.reason) = ("db-2".into(), "down".into(), "refused a connection".into());
        assert_eq!(
            bare(&nodes(&[db(), away], now())),
            "NODE  STATE  SINCE   ADDRESSES          GOSSIP         ZONE  INSTANCES  VERSION  NOTE\n\
             db-1  alive  2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    -\n\
             db-2  down   2m ago  10.0.0.5, fd00::5  10.0.0.5:8746  -     2          0.1.0    refused a connection\n"
        );
    }

    #[test]
    fn a_column_that_nobody_needs_is_left_out() {
        assert!(!bare(&nodes(&[db()], now())).contains("NOTE"));
        let mut disputed = db();
        disputed.name_conflict = true;
        assert!(bare(&nodes(&[disputed], now())).contains("another node holds its name"));
    }

    #[test]
    fn services_are_shown_with_their_counts() {
        let web = Service {
            name: "web".into(),
            tags: vec!["v1".into(), "v2".into()],
            counts: Counts { total: 6, passing: 3, warning: 2, critical: 1, held_back: 1 },
        };
        assert_eq!(
            bare(&services(&[web])),
            "SERVICE  INSTANCES  PASSING  WARNING  CRITICAL  HELD BACK  TAGS\n\
             web      6          3        2        1         1          v1, v2\n"
        );
    }

    #[test]
    fn instances_are_shown_with_where_they_are_and_why_they_are_held_back() {
        let mut held_back = web();
        held_back.held_back = Some(super::super::view::HeldBack { detail: "node db-2 is down".into() });
        held_back.protocol = "udp".into();
        assert_eq!(
            bare(&instances(&[web(), held_back], now())),
            "SERVICE  ID     NODE  ENDPOINT                           STATUS   SINCE   WEIGHT  TAGS  HELD BACK\n\
             web      web-1  db-1  10.0.0.5:80, [fd00::5]:80          passing  2m ago  10      v1    -\n\
             web      web-1  db-1  10.0.0.5:80/udp, [fd00::5]:80/udp  passing  2m ago  10      v1    node db-2 is down\n"
        );
    }

    #[test]
    fn a_line_stays_a_line_whatever_a_cell_holds() {
        let mut node = db();
        (node.state, node.reason) = ("down".into(), "a\nb\u{1b}[2J".into());
        assert_eq!(bare(&nodes(&[node], now())).lines().count(), 2);
    }

    #[test]
    fn what_is_bad_stands_out_on_a_terminal() {
        let mut node = db();
        node.state = "down".into();
        assert!(nodes(&[node], now()).contains(&BAD.to_string()));
        assert!(!nodes(&[db()], now()).contains(&BAD.to_string()));
    }

    #[test]
    fn times_are_shown_in_their_largest_unit() {
        let check = |since, shown: &str| assert_eq!(ago(since, now()), shown);
        check("2026-01-01T00:01:59Z", "1s ago");
        check("2025-12-31T21:02:00.5Z", "2h ago");
        check("2025-12-01T00:02:00Z", "31d ago");
        check("2027-01-01T00:00:00Z", "0s ago");
        check("then", "then");
    }

    /// What is seen where there are no colours.
    fn bare(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn now() -> Timestamp {
        "2026-01-01T00:02:00Z".parse().unwrap()
    }

    fn db() -> Node {
        Node {
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
            checks: Vec::new(),
        }
    }

    fn web() -> Instance {
        Instance {
            node: Some("db-1".into()),
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
}
