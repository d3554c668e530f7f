//! Holds the code against the table of rooms: who may use whom, and what never is in a room.

#[path = "rooms/kinds.rs"]
mod kinds;
#[path = "rooms/paths.rs"]
mod paths;
#[path = "rooms/table.rs"]
mod table;

use std::{fs, path::Path};

use table::{HOUSE, Room, floor};

#[test]
fn every_room_keeps_to_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    collect(root, &root.join("src"), &mut sources);
    assert!(sources.iter().any(|(file, _)| file == "src/model/record.rs"), "the sources were not found: {sources:?}");
    let broken: Vec<String> = sources.iter().flat_map(|(file, source)| check(file, source)).collect();
    assert!(broken.is_empty(), "the table of rooms is broken:\n{}", broken.join("\n"));
}

#[test]
fn a_room_above_is_reported_however_it_is_named() {
    let above = |source: &str| reports("src/core/sync.rs", source, 2, "core may use what stands below it, and agent stands above");
    above("\nuse crate::agent::Agent;");
    above("\nuse crate::{model::Key, agent};");
    above("use crate::{\nagent::{self, Agent}};");
    above("use crate::{model::{Key, Life}, wire::{self,\n}, agent::*};");
    above("use\ncrate::agent as other;");
    above("fn f() {\n let x = crate::agent::start(); }");
    above("type A =\n Vec<crate::agent::Agent>;");
    above("fn f() { println!(\"{}\",\n crate::agent::NAME) }");
    above("\nuse super::super::agent::Agent;");
    above("mod tests {\n use super::super::super::agent::Agent; }");
    above("\nuse tidings::agent::Agent;");
    above("use crate as house;\nuse house::agent::Agent;");
    above("\npub(in crate::agent) fn f() {}");
    above("#[derive(X)]\n#[with(crate::agent::NAME)] struct S;");
    above("\nuse crate::r#agent::Agent;");
}

#[test]
fn a_room_that_the_line_bans_is_reported() {
    reports("src/core.rs", "use crate::catalog::Catalog;", 1, "core never uses catalog");
    reports("src/core/replica.rs", "\n\nuse crate::{model::Key, store::Store};", 3, "core never uses store");
    reports("src/core/replica.rs", "use crate::registrar as r;", 1, "core never uses registrar");
    reports("src/core.rs", "use crate::metrics::Metrics;", 1, "core never uses metrics");
    reports("src/metrics/gossip.rs", "use crate::core::Core;", 1, "metrics may use what stands below it, and core stands above");
    reports("src/http/nodes.rs", "use crate::core::Core;", 1, "http never uses core");
    reports("src/http/nodes.rs", "use crate::dns::Zone;", 1, "http never uses dns");
    reports("src/dns.rs", "use crate::http::ROUTES;", 1, "dns may use what stands below it, and http stands above");
    reports("src/dns.rs", "use crate::core::Core;", 1, "dns never uses core");
    reports("src/core/health.rs", "use crate::kinds::KINDS;", 1, "core never uses kinds");
    reports("src/metrics/checks.rs", "use crate::kinds;", 1, "metrics never uses kinds");
    reports("src/kinds/tcp.rs", "use crate::definition;", 1, "kinds may use what stands below it, and definition stands above");
    reports("src/wire/local.rs", "use crate::kinds;", 1, "wire may use what stands below it, and kinds stands above");
    reports("src/catalog/select.rs", "use crate::registrar::Registrar;", 1, "catalog never uses registrar");
    reports("src/checks/verdict.rs", "use crate::catalog::Catalog;", 1, "checks may use what stands below it, and catalog stands above");
    reports("src/store.rs", "use crate::config::Config;", 1, "store never uses config");
    reports("src/wire/codec.rs", "use crate::core::Core;", 1, "wire may use what stands below it, and core stands above");
    reports("src/model/name.rs", "use crate::wire::Frame;", 1, "model may use what stands below it, and wire stands above");
    reports("src/cli/query.rs", "use crate::catalog::Catalog;", 1, "cli never uses catalog");
    reports("src/main.rs", "fn main() { tidings::store::open() }", 1, "main never uses store");
}

#[test]
fn what_never_is_in_a_room_is_reported() {
    let core = |source: &str, why: &str| reports("src/core/timers.rs", source, 2, why);
    core("\nuse tokio::time::sleep;", "core never names tokio: no tokio here");
    core("use tokio as t;\nfn f() { t::spawn(x) }", "core never names tokio: no tokio here");
    core("use std::net;\nfn f() { net::UdpSocket::bind(x) }", "core never names UdpSocket: no sockets here");
    core("use std::{net::{IpAddr,\nTcpStream as Stream}};", "core never names TcpStream: no sockets here");
    core("fn f() {\n std::time::Instant::now() }", "core never names Instant::now: time is passed in");
    core("use std::time::SystemTime as Wall;\nfn f() { Wall::now() }", "core never names SystemTime::now: time is passed in");
    core("fn f(start: Instant) {\n start.elapsed() }", "core never names elapsed: time is passed in");
    core("\nuse std::collections::HashMap;", "core never names HashMap: the order");
    core("use std::collections;\nstruct S(collections::HashSet<u8>);", "core never names HashSet: the order");
    core("use rand as dice;\nfn f() { dice::rng() }", "core never names rand::rng: randomness is passed in");
    reports("src/sim/world.rs", "use tokio::net::UdpSocket;", 1, "sim never names tokio: no tokio here");
    reports("src/sim/world.rs", "use std::net::UdpSocket;", 1, "sim never names UdpSocket: no sockets here");
    reports("src/wire/frame.rs", "use tokio::io::AsyncRead;", 1, "wire never names tokio: no tokio here");
    reports("src/store/folder.rs", "use tokio::fs;", 1, "store never names tokio: no tokio here");
    reports("src/catalog.rs", "use tokio::sync::watch;", 1, "catalog never names tokio: no tokio here");
}

#[test]
fn an_import_of_everything_that_may_hide_what_is_banned_is_reported() {
    reports("src/core.rs", "use std::collections::*;", 1, "core imports all of std::collections, which hides what is banned here");
    reports("src/core.rs", "use std::net::*;", 1, "core imports all of std::net, which hides what is banned here");
    reports("src/core.rs", "use crate::*;", 1, "core imports all of the crate, which hides which rooms it uses");
}

#[test]
fn a_room_that_is_not_in_the_table_is_reported() {
    reports("src/lib.rs", "pub mod model;\npub mod attic;", 2, "attic is not in the table of rooms");
    reports("src/attic/box.rs", "", 1, "attic is not in the table of rooms");
    reports("src/core.rs", "use crate::attic::Box;", 1, "attic is not in the table of rooms");
    reports("src/lib.rs", "pub use model::Status;", 1, "the root of the crate declares rooms and names nothing");
}

#[test]
fn what_can_not_be_read_is_reported() {
    reports("src/core.rs", "\nfn f() { ) }", 2, "can't be read");
}

#[test]
fn what_the_table_allows_is_not_reported() {
    let fine = |file: &str, source: &str| assert_eq!(check(file, source), Vec::<String>::new(), "{file}: {source}");
    fine("src/core.rs", "use crate::{model::{Change, Key}, wire::Frame}; use std::{net::SocketAddr, time::Instant};");
    fine(
        "src/core.rs",
        "// use crate::catalog::Catalog;\n/// Not [`crate::catalog::Catalog`], nor /* tokio */.\nfn f() { \"crate::agent::x\"; r#\"tokio::spawn\"# }",
    );
    fine("src/core/sync.rs", "use super::replica::Part; use super::{timers, Core}; mod tests { use super::*; use super::super::timers; }");
    fine(
        "src/core/sync.rs",
        "pub(crate) fn f(&self) { self.agent.x(); crate::model::f(); core::mem::swap(a, b); let tokio_ = http::Method; }",
    );
    fine("src/http/services.rs", "use http::Method; use crate::catalog::Catalog; use crate::registrar::Registrar; use tokio::sync::mpsc;");
    fine("src/catalog.rs", "use std::collections::HashMap;");
    fine("src/agent.rs", "use crate::{core::Core, http, dns, store::Store, sim};");
    fine("src/main.rs", "fn main() { tidings::cli::run() }");
    fine("src/cli.rs", "use crate::{agent::Agent, config::Config, model::Status, cli::query};");
    fine("src/lib.rs", "pub mod model;\npub mod catalog;");
}

/// Asserts that the source breaks one rule at least, and that the report names file, line and rule.
fn reports(file: &str, source: &str, line: usize, rule: &str) {
    let broken = check(file, source);
    let expected = format!("{file}:{line}: ");
    assert!(broken.iter().any(|it| it.starts_with(&expected) && it.contains(rule)), "{source}\n{expected}{rule}\n{broken:#?}");
}

/// Every way in which a file breaks the table, as `file:line: what`.
fn check(file: &str, source: &str) -> Vec<String> {
    let module: Vec<&str> = file.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
    let is_root = module == ["lib"];
    let named = match paths::read(if is_root { &[] } else { &module }, source) {
        Ok(named) => named,
        Err(error) => return vec![format!("{file}:{}: can't be read: {error}", line_of(&error))],
    };
    let mut broken = Vec::new();
    let mut report = |line: usize, what: String| broken.push(format!("{file}:{line}: {what}"));
    if is_root {
        for declared in named.modules.iter().filter(|it| floor(&it.segments[0]).is_none()) {
            report(declared.line, unknown(&declared.segments[0]));
        }
        for path in named.paths.iter().filter(|path| path.segments.len() > 1) {
            report(path.line, format!("the root of the crate declares rooms and names nothing, but here is {}", path.segments.join("::")));
        }
        return broken;
    }
    let Some(own) = floor(module[0]) else {
        report(1, unknown(module[0]));
        return broken;
    };
    for path in &named.paths {
        let meanings = named.meanings(path);
        let mut rules: Vec<String> = meanings.iter().flat_map(|it| broken_rules(module[0], own, it)).collect();
        rules.dedup();
        for rule in rules {
            report(path.line, format!("{} is named here, but {rule}", path.segments.join("::")));
        }
    }
    broken
}

/// The rules of the room on this floor that a path breaks.
fn broken_rules(module: &str, own: usize, segments: &[String]) -> Vec<String> {
    let room = &HOUSE[own];
    let mut rules: Vec<String> = other_room(module, own, segments).into_iter().collect();
    let everything = segments.split_last().filter(|(last, _)| *last == "*").map(|(_, of)| of.join("::"));
    if let Some(of) = everything.filter(|of| hides_a_ban(room, of)) {
        rules.push(format!("{module} imports all of {of}, which hides what is banned here"));
    }
    for ban in room.bans {
        let found = ban.paths.iter().filter(|path| {
            let banned: Vec<&str> = path.split("::").collect();
            segments.windows(banned.len()).any(|window| window == banned)
        });
        rules.extend(found.map(|path| format!("{module} never names {path}: {}", ban.why)));
    }
    rules
}

fn other_room(module: &str, own: usize, segments: &[String]) -> Option<String> {
    if segments[0] != "crate" {
        return None;
    }
    let other = segments.get(1)?;
    if other == "*" {
        return Some(format!("{module} imports all of the crate, which hides which rooms it uses"));
    }
    let Some(floor) = floor(other) else { return Some(unknown(other)) };
    if floor < own {
        Some(format!("{module} may use what stands below it, and {other} stands above"))
    } else if HOUSE[own].never.contains(&other.as_str()) {
        Some(format!("{module} never uses {other}"))
    } else {
        None
    }
}

/// Modules of which something is banned in some room, so that importing all of them would hide it.
const HIDING: &[(&str, &str)] = &[
    ("std::net", "UdpSocket"),
    ("std::os::unix::net", "UnixStream"),
    ("std::collections", "HashMap"),
    ("std::time", "Instant::now"),
    ("imbl", "HashMap"),
    ("rand", "rand::rng"),
    ("rand::rngs", "SysRng"),
];

fn hides_a_ban(room: &Room, module: &str) -> bool {
    let hidden = HIDING.iter().filter(|(of, _)| *of == module);
    hidden.into_iter().any(|(_, path)| room.bans.iter().any(|ban| ban.paths.contains(path)))
}

fn unknown(module: &str) -> String {
    format!("{module} is not in the table of rooms: give it a floor in tests/rooms/table.rs, and in Architecture.md")
}

fn line_of(error: &str) -> &str {
    error.trim_start_matches("line ").split(':').next().unwrap_or("1")
}

/// Every source file below a folder, named from the root of the package, with its text.
fn collect(root: &Path, dir: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("it is below the root").to_string_lossy().into_owned();
            sources.push((name, fs::read_to_string(&path).expect("the file can be read")));
        }
    }
    sources.sort();
}
