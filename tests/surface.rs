//! Holds the program's surface against the features: what it has must be named there, and what is named must exist.

#[path = "surface/compare.rs"]
mod compare;
#[path = "surface/mentions.rs"]
mod mentions;
#[path = "metrics/names.rs"]
mod names;
#[path = "surface/program.rs"]
mod program;

use compare::Kind;
use mentions::{Mention, Mentions};

#[test]
fn what_the_program_has_is_named_in_a_feature_and_what_a_feature_names_exists() {
    let differences = program::differences();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn routes_are_found_with_their_methods() {
    let check = |text: &str, routes: &[&str]| assert_eq!(texts(&read(text).routes), routes, "{text}");
    check("When `PUT /v1/agent/instances/web-1` is sent.", &["PUT /v1/agent/instances/web-1"]);
    check(
        "When a client sends \"GET /v1/instances?service=web&tag=v1\" and DELETE /v1/nodes/db-1.",
        &["GET /v1/instances", "DELETE /v1/nodes/db-1"],
    );
    check("`GET|DELETE /v1/nodes/{node}`", &["GET /v1/nodes/{node}", "DELETE /v1/nodes/{node}"]);
    check("| POST | /v1/agent/leave | 202 |", &["POST /v1/agent/leave"]);
    check("curl -X PUT http://127.0.0.1:8780/v1/agent", &["PUT /v1/agent"]);
    check("the header Location is /v1/agent/instances/web-1, and `/v1` lists it", &["/v1/agent/instances/web-1", "/v1"]);
    check("GET /health/live", &["GET /health/live"]);
    check("the pointer is \"/tags/3\", in /var/lib, from http://10.0.0.5/health", &[]);
    check("# GET /v1/comment", &[]);
}

#[test]
fn flags_variables_and_problems_are_found() {
    let flags = |text: &str| read(text).flags.into_iter().map(|it| it.text).collect::<Vec<_>>();
    assert_eq!(flags("`tidings agent --data-dir=/tmp --on-term restart`, [--json]."), ["--data-dir", "--on-term", "--json"]);
    assert_eq!(flags("a dash -- like this, -x, or a---b"), Vec::<String>::new());
    let text =
        "Given TIDINGS_DATA_DIR is set, and \"TIDINGS_HTTP=1\", not TIDINGS_*\n then https://x/problems/not-found, `/problems/invalid`";
    assert_eq!(texts(&read(text).variables), ["TIDINGS_DATA_DIR", "TIDINGS_HTTP"]);
    assert_eq!(texts(&read(text).problems), ["/problems/not-found", "/problems/invalid"]);
}

#[test]
fn metrics_are_found_with_or_without_labels() {
    let text = "| tidings_members{state=\"alive\"} | 2 |\n and `process_open_fds`, not TIDINGS_HTTP nor tidings.journal";
    assert_eq!(texts(&read(text).metrics), ["tidings_members", "process_open_fds"]);
    assert!(compare::metric("tidings_age_seconds", "tidings_age_seconds_count").is_some());
    assert_eq!(compare::metric("tidings_probes_total", "tidings_probes"), None);
}

#[test]
fn commands_are_found_where_a_command_line_stands() {
    let check = |text: &str, commands: &[&str]| assert_eq!(texts(&read(text).commands), commands, "{text}");
    check("When I run `tidings services --json`", &["services"]);
    check("When I run \"tidings config check FILE\" and 'tidings members'", &["config check", "members"]);
    check("| tidings maintenance on web-1 | 0 |", &["maintenance on"]);
    check("\"\"\"\n$ tidings leave\ntidings register web.json\n\"\"\"", &["leave", "register"]);
    check("the tidings agent keeps what tidings come; `tidings --version`", &[]);
}

#[test]
fn keys_are_found_in_toml_with_their_tables() {
    let toml = "Given a file\n  ```toml\n  name = \"web.service.tidings.internal\"\n  [gossip]\n  bind = \"x\"\n  # old = 1\n\n  [[service]]\n  meta = { git = \"a\" }\n  tags = [\"a\"]\n  ```";
    let found = read(toml);
    assert_eq!(sorted(&found.keys), ["gossip.bind", "name", "service.meta.git", "service.tags"]);
    assert_eq!(found.keys.iter().find(|key| key.text == "gossip.bind").map(|key| key.line), Some(5));
    assert_eq!(found.names, [], "a value of the file is no question");
    let broken = "\"\"\"\nport = <http>\n[dns]\nprot = 1\n\"\"\"";
    assert_eq!(sorted(&read(broken).keys), ["dns.prot", "port"]);
    for other in ["\"\"\"\n{\"a\": \"b=c\"}\n\"\"\"", "\"\"\"\n[\"a\"]\n\"\"\"", "name = 1", "\"\"\"\nNAME  STATE = x\n\"\"\""] {
        assert_eq!(read(other).keys, [], "{other}");
    }
}

#[test]
fn names_are_found_by_their_domain() {
    let text = "When \"v1.Web.service.tidings.internal.\" or `_web._tcp.service.tidings.internal` is asked for, and tidings.internal:\n not http://web.tidings.internal/ nor web.service";
    assert_eq!(texts(&read(text).names), ["v1.web.service", "_web._tcp.service", "@"]);
}

#[test]
fn a_mention_tells_where_it_stands() {
    let found = read("Feature: x\n\n  Scenario: y\n    When `GET /v1/nodes`\n");
    assert_eq!(found.routes, [Mention { text: "GET /v1/nodes".into(), file: "features/x.feature".into(), line: 4 }]);
}

#[test]
fn what_the_program_has_and_no_feature_names_is_reported() {
    let differences = compare(compare::route, &["GET /v1/nodes", "GET /v1/nodes/{node}"], &["GET /v1/nodes"], &[]);
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].starts_with("the program has the thing `GET /v1/nodes/{node}`, but no feature names it"), "{differences:?}");
}

#[test]
fn what_a_feature_names_and_the_program_lacks_is_reported() {
    let differences = compare(compare::exactly, &["--name", "--zone"], &["--name", "--zone", "--nmae"], &[]);
    let expected = "features/x.feature:3 names the thing `--nmae`, which the program does not have; the nearest is `--name`";
    assert_eq!(differences, [expected]);
}

#[test]
fn what_is_named_because_it_is_absent_is_no_difference_while_both_hold() {
    let check = |named: &[&str], absent: &[(&str, &str)], expected: &str| {
        let differences = compare(compare::exactly, &["--name"], named, absent);
        assert!(differences.len() == usize::from(!expected.is_empty()), "{differences:?}");
        assert!(differences.iter().all(|it| it.contains(expected)), "{differences:?}");
    };
    check(&["--name", "--old"], &[("--old", "a flag that is refused")], "");
    check(&["--name"], &[("--old", "a flag that is refused")], "no feature names the thing `--old` (a flag that is refused)");
    check(&["--name", "--name"], &[], "");
    assert_eq!(compare(compare::exactly, &["--name"], &["--name"], &[("--name", "wrong")]).len(), 2);
}

#[test]
fn a_program_without_a_table_is_reported() {
    let differences = compare(compare::exactly, &[], &[], &[]);
    assert_eq!(differences, ["the program has no thing at all: its own table was not read"]);
}

#[test]
fn a_route_covers_its_paths() {
    assert_eq!(compare::route("GET /v1/nodes/{node}", "GET /v1/nodes/db-1"), Some(3));
    assert!(compare::route("GET /v1/nodes", "HEAD /v1/nodes").is_some());
    assert!(compare::route("PUT /v1/nodes", "/v1/nodes").is_some());
    for other in ["PUT /v1/nodes/db-1", "GET /v1/nodes", "GET /v1/nodes/", "GET /v1/nodes/db-1/x", "HEAD /v1/services/x"] {
        assert_eq!(compare::route("GET /v1/nodes/{node}", other), None, "{other}");
    }
}

#[test]
fn a_name_counts_for_the_closest_pattern_only() {
    let differences = compare(compare::route, &["GET /v1/{any}", "GET /v1/nodes"], &["GET /v1/nodes"], &[]);
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].contains("GET /v1/{any}"));
    let differences = compare(compare::command, &["config", "config check"], &["config check file"], &[]);
    assert!(differences.len() == 1 && differences[0].contains("`config`"), "{differences:?}");
}

#[test]
fn commands_and_keys_cover_what_is_below_them() {
    assert!(compare::command("maintenance", "maintenance on").is_some());
    assert_eq!(compare::command("member", "members"), None);
    assert!(compare::key("service.meta.*", "service.meta.git").is_some());
    assert_eq!(compare::key("service.meta", "service.meta.git"), None);
    assert_eq!(compare::key("gossip.bind", "http.bind"), None);
}

#[test]
fn forms_of_names_tell_protocols_tags_and_addresses_apart() {
    let forms = [
        "{service}.service",
        "{tag}.{service}.service",
        "_{service}._{protocol}.service",
        "_{service}._{tag}.service",
        "{node}.node",
        "{hex}.addr",
        "@",
        "ns",
    ];
    let check = |name: &str, form: &str| {
        let covering: Vec<&str> = forms.into_iter().filter(|form| compare::form(form, name).is_some()).collect();
        assert_eq!(covering, if form.is_empty() { vec![] } else { vec![form] }, "{name}");
    };
    check("web.service", "{service}.service");
    check("<service>.service", "{service}.service");
    check("v1.web.service", "{tag}.{service}.service");
    check("_web._tcp.service", "_{service}._{protocol}.service");
    check("_web._v1.service", "_{service}._{tag}.service");
    check("db-1.node", "{node}.node");
    check("0a000005.addr", "{hex}.addr");
    check("@", "@");
    check("ns", "ns");
    check("0a00000g.addr", "");
    check("0a.addr", "");
    check("_web.service", "");
    check("web.services", "");
}

fn read(text: &str) -> Mentions {
    let mut mentions = Mentions::default();
    mentions.read("features/x.feature", text, "tidings.internal");
    mentions
}

fn texts(mentions: &[Mention]) -> Vec<&str> {
    mentions.iter().map(|mention| mention.text.as_str()).collect()
}

fn sorted(mentions: &[Mention]) -> Vec<&str> {
    let mut texts = texts(mentions);
    texts.sort();
    texts
}

fn compare(covers: fn(&str, &str) -> Option<usize>, has: &[&str], named: &[&str], absent: &[(&str, &str)]) -> Vec<String> {
    let has: Vec<String> = has.iter().map(|it| (*it).to_owned()).collect();
    let mention = |(text, line): (&&str, usize)| Mention { text: (*text).to_owned(), file: "features/x.feature".to_owned(), line };
    let named: Vec<Mention> = named.iter().zip(1..).map(mention).collect();
    Kind { what: "thing", has: &has, named: &named, absent, covers }.differences()
}
