use std::{collections::BTreeMap, fs, time::Duration};

use super::*;
use crate::{
    config::{Flags, Resolved, Surroundings, load},
    model::Status,
};

#[test]
fn a_file_defines_what_the_api_takes() {
    let text = r#"
        [[service]]
        id = "web-1"
        service = "web"
        port = 8080
        tags = ["v1"]
        weight = 0x14
        meta = { git = "a1b2c3" }
        deregister_after = "1h"

        [[service.checks]]
        id = "alive"
        http = "http://127.0.0.1:8080/health"
        headers = { Authorization = "secret" }
        interval = "5s"

        [[service]]
        service = "db"
        port = 5432

        [[check]]
        id = "disk"
        ttl = "2m"

        [[check]]
        id = "port"
        tcp = "127.0.0.1:22"
        initial = "critical"
    "#;
    let (resolved, path) = given(text, &[]);
    let Definitions { services, checks } = resolved.unwrap().definitions;
    let (web, place) = &services[&InstanceId::new("web-1").unwrap()];
    assert_eq!((place.line, web.file.as_deref()), (2, Some(&*path)));
    assert_eq!((web.instance.weight, web.instance.tags.len(), web.checks.len()), (20, 1, 1));
    assert!(web.instance.meta.contains_key("git") && web.deregister_after.is_some());
    assert_eq!(services[&InstanceId::new("db").unwrap()].1.line, 17, "an id left out is the service's name");
    let [(disk, at), (port, _)] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!((disk.probe.kind.as_str(), disk.probe.ttl), ("ttl", Some(Duration::from_secs(120))));
    assert_eq!((at.line, disk.initial, port.initial), (21, Status::Passing, Status::Critical));
}

#[test]
fn each_flaw_is_told_with_its_line() {
    let service = "[[service]]\nservice = \"web\"\n";
    refused(&format!("{service}port = \"80\""), 3, "service: port is the string \"80\"");
    refused(&format!("{service}prot = 80\nport = 80"), 3, "service: prot is not a field of a definition; did you mean \"port\"?");
    refused(service, 1, "service: port is missing");
    refused("[[service]]\nport = 80", 1, "service: service is missing");
    refused("\n[[service]]\nid = 7\nservice = \"web\"\nport = 80", 3, "service: id takes a text");
    refused("[[service]]\nid = \"a b\"\nservice = \"web\"\nport = 80", 2, "service: id ");
    let tagged = format!("{service}port = 80\ntags = [\n  \"v1\",\n  \"two words\",\n]");
    refused(&tagged, 6, "service: tags.1 ");
    let checked = format!("{service}port = 80\n[[service.checks]]\nid = \"a\"\nttl = \"15s\"\n[[service.checks]]\nid = \"b\"\nttl = 15");
    refused(&checked, 9, "service: checks.1.ttl ");
    refused(&format!("{service}port = 80\n\n{service}port = 81"), 5, "the id web is taken by ");
    refused(&format!("{service}port = 80\ndeployed = 2026-01-01"), 4, "deployed is not a field");
    refused("service = 1", 1, "service is a list of tables: write [[service]]");
    refused("[service]\nservice = \"web\"", 1, "service is a list of tables");
    refused("[[check]]\nid = \"disk\"\nttl = \"2m\"\nservice = \"web\"", 4, "check: service is not a field of a check");
    refused("[[check]]\nid = \"disk\"\nttl = \"1ms\"", 3, "check: ttl is 1ms");
    refused("[[check]]\nid = \"disk\"\nttl = \"2m\"\n[[check]]\nid = \"disk\"\nttl = \"2m\"", 5, "the id disk is taken by ");
    let checks: String = (0..17).map(|n| format!("[[check]]\nid = \"c{n}\"\nttl = \"2m\"\n")).collect();
    refused(&checks, 49, "a node may have 16 checks");
    let large: String = (0..64).map(|n| format!("key-{n} = \"{}\"\n", "x".repeat(500))).collect();
    refused(&format!("{service}port = 80\n[service.meta]\n{large}"), 1, "octets when encoded; at most ");
}

#[test]
fn a_folder_has_service_files_and_what_else_is_in_it_is_left_alone() {
    let web = "[[service]]\nservice = \"web\"\nport = 80";
    let files = [
        ("web.toml", web),
        ("db.toml", "[[service]]\nservice = \"db\"\nport = 1"),
        (".web.toml", "["),
        ("README", "["),
        ("old.toml~", "["),
    ];
    let (resolved, _) = given("", &files);
    let services = resolved.unwrap().definitions.services;
    let names: Vec<(&str, &str)> = services.iter().map(|(id, (_, place))| (id.as_str(), place.file.rsplit('/').next().unwrap())).collect();
    assert_eq!(names, [("db", "db.toml"), ("web", "web.toml")]);

    let error = given(web, &[("web.toml", web)]).0.unwrap_err();
    assert!(error.contains("/web.toml, line 1: service: the id web is taken by ") && error.contains("tidings.toml, line 1"), "{error}");
    let error = given("", &[("web.toml", "name = \"a\"\n[[service]]\nservice = 1")]).0.unwrap_err();
    assert!(error.contains("/web.toml, line 1: unknown key name; a service file has [[service]] tables"), "{error}");
    let error = given("", &[("web.toml", "[[service]]\nport = \n")]).0.unwrap_err();
    assert!(error.contains("/web.toml, line 2: "), "{error}");
    let error = given("service_dir = \"/nowhere/at/all\"", &[]).0.unwrap_err();
    assert!(error.contains("tidings.toml, line 1: service_dir: can't read the folder /nowhere/at/all: "), "{error}");
}

/// What becomes of a file and of the files of a folder, and the path of the first.
fn given(text: &str, folder: &[(&str, &str)]) -> (Result<Resolved, String>, String) {
    let place = tempfile::tempdir().unwrap();
    let (file, services) = (place.path().join("tidings.toml"), place.path().join("services"));
    fs::write(&file, text).unwrap();
    fs::create_dir(&services).unwrap();
    for (name, text) in folder {
        fs::write(services.join(name), text).unwrap();
    }
    let path = file.display().to_string();
    let mut flags = Flags::from([("config", vec![path.clone()])]);
    if !folder.is_empty() {
        flags.insert("service-dir", vec![services.display().to_string()]);
    }
    let env = BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
    let surroundings = Surroundings { host_name: "here".into(), env, ..Surroundings::default() };
    (load(&flags, &surroundings).map_err(|error| error.to_string()), path)
}

#[track_caller]
fn refused(text: &str, line: usize, says: &str) {
    let error = given(text, &[]).0.expect_err(text);
    let (place, error_says) = error.split_once(": ").unwrap();
    assert!(place.ends_with(&format!("tidings.toml, line {line}")) && error_says.contains(says) && error.lines().count() == 1, "{error}");
}
