//! Holds what the program and its tests are made of against `deny.toml`, as far as that goes without `cargo deny`: licences, sources and bans.

use std::{fs, path::Path, process::Command};

use serde_json::Value as Json;
use spdx::{Expression, Licensee, ParseMode};
use toml::{Table, Value};

/// What `deny.toml` says.
struct Rules {
    licenses: Vec<Licensee>,
    banned: Vec<String>,
    registries: Vec<String>,
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let rules = rules();
    let packages = packages();
    assert!(packages.len() > 100, "{} crates are too few: cargo did not list them", packages.len());
    let wrong: Vec<String> = packages.iter().filter_map(|(name, license)| rules.license_flaw(name, license.as_deref())).collect();
    assert!(wrong.is_empty(), "deny.toml does not allow it:\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_comes_from_a_registry_that_is_allowed_and_none_is_banned() {
    let rules = rules();
    let locked = locked(&read("Cargo.lock"));
    assert!(locked.len() > 100, "{} crates are too few", locked.len());
    let wrong: Vec<String> = locked.iter().filter_map(|(name, source)| rules.origin_flaw(name, source.as_deref())).collect();
    assert!(wrong.is_empty(), "deny.toml does not allow it:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_not_allowed_is_found() {
    let rules = rules();
    let license = |text| rules.license_flaw("it", text).is_some();
    for fine in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "MPL-2.0+", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(!license(Some(fine)), "{fine}");
    }
    for wrong in [Some("GPL-3.0"), Some("MIT AND AGPL-3.0"), Some("Apache-2.0 WITH Classpath-exception-2.0"), Some("whatever"), None] {
        assert!(license(wrong), "{wrong:?}");
    }
    let here = locked(
        "[[package]]\nname = \"a\"\nversion = \"1\"\n[[package]]\nname = \"b\"\nversion = \"1\"\nsource = \"git+https://example.com/b#1\"\n",
    );
    assert_eq!(here.iter().filter_map(|(name, source)| rules.origin_flaw(name, source.as_deref())).count(), 2, "only tidings is ours");
    let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    assert!(rules.origin_flaw("openssl", Some(crates_io)).is_some_and(|flaw| flaw.contains("banned")));
    assert!(rules.origin_flaw("ring", Some(crates_io)).is_none());
}

#[test]
fn unsafe_code_is_forbidden_without_an_exception() {
    let manifest: Table = read("Cargo.toml").parse().expect("it is TOML");
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

impl Rules {
    fn license_flaw(&self, name: &str, license: Option<&str>) -> Option<String> {
        let Some(text) = license else { return Some(format!("{name} says no licence")) };
        let Ok(expression) = Expression::parse_mode(text, ParseMode::LAX) else { return Some(format!("{name}: {text:?} is no licence")) };
        let allowed = expression.evaluate(|wanted| self.licenses.iter().any(|license| license.satisfies(wanted)));
        (!allowed).then(|| format!("{name}: {text}"))
    }

    fn origin_flaw(&self, name: &str, source: Option<&str>) -> Option<String> {
        if self.banned.iter().any(|banned| banned == name) {
            return Some(format!("{name} is banned"));
        }
        match source {
            None if name == env!("CARGO_PKG_NAME") => None,
            None => Some(format!("{name} is from a folder")),
            Some(source) if source.strip_prefix("registry+").is_some_and(|url| self.registries.iter().any(|known| known == url)) => None,
            Some(source) => Some(format!("{name} is from {source}")),
        }
    }
}

fn rules() -> Rules {
    let page: Table = read("deny.toml").parse().expect("it is TOML");
    let texts =
        |value: &Value| value.as_array().expect("a list").iter().map(|it| it.as_str().expect("texts").to_owned()).collect::<Vec<_>>();
    let banned = page["bans"]["deny"].as_array().expect("a list");
    Rules {
        licenses: texts(&page["licenses"]["allow"]).iter().map(|it| Licensee::parse(it).expect("a licence")).collect(),
        banned: banned.iter().map(|it| it["crate"].as_str().expect("a name").to_owned()).collect(),
        registries: texts(&page["sources"]["allow-registry"]),
    }
}

/// Each crate that is built on this platform, tests included, and its licence.
fn packages() -> Vec<(String, Option<String>)> {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc is there");
    let rustc = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says for what it builds");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Json = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let text = |package: &Json, field: &str| package[field].as_str().map(str::to_owned);
    all["packages"].as_array().expect("a list").iter().map(|it| (text(it, "name").expect("a name"), text(it, "license"))).collect()
}

/// Each crate of a lock file, for whatever platform, and where it comes from.
fn locked(text: &str) -> Vec<(String, Option<String>)> {
    let lock: Table = text.parse().expect("it is TOML");
    let text = |package: &Value, field: &str| package.get(field).and_then(Value::as_str).map(str::to_owned);
    lock["package"].as_array().expect("a list").iter().map(|it| (text(it, "name").expect("a name"), text(it, "source"))).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
