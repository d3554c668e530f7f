//! What an agent runs with, put together from flags, environment, a file and defaults: the first that sets a value wins.
//!
//! The file is TOML. What concerns the whole agent stands above all tables under the name of its flag, what
//! concerns one part of it in that part's table:
//!
//! ```toml
//! name = "db-1"                       # --name
//! zone = "rack-7"                     # --zone
//! cluster = "default"                 # --cluster
//! data_dir = "/var/lib/tidings"       # --data-dir
//! join = ["10.0.0.1", "seed:8746"]    # --join, repeated
//! on_term = "leave"                   # --on-term
//! log = "info"                        # --log
//! log_format = "text"                 # --log-format
//!
//! [gossip]
//! listen = "0.0.0.0:8746"             # --gossip
//! advertise = "10.0.0.5"              # --advertise
//!
//! [http]
//! listen = "127.0.0.1:8780"           # --http
//! socket = "/run/tidings/http.sock"   # --http-socket
//! certificate = "/etc/tidings/a.pem"  # --http-certificate
//! key = "/etc/tidings/a.key"          # --http-key
//! names = ["agent.example"]           # --http-name, repeated
//!
//! [dns]
//! listen = "127.0.0.1:8753"           # --dns
//! domain = "tidings.internal"         # --domain
//! alt_domain = "consul"               # --dns-alt-domain
//! ttl = "0s"                          # --dns-ttl
//! service_ttl = ["web=30s"]           # --dns-service-ttl, repeated
//! negative_ttl = "1s"                 # --dns-negative-ttl
//! prefer = "none"                     # --dns-prefer
//! upstream = ["10.0.0.53", "system"]  # --dns-upstream, repeated
//! rate_limit = "0"                    # --dns-rate-limit
//!
//! [meta]                              # of this node; no flag
//! owner = "storage"
//!
//! [[service]]                         # an instance: the fields of a registration; in files of --service-dir, too
//! id = "web-1"                        # the service's name where it is left out
//! service = "web"
//! port = 8080
//!
//! [[service.checks]]
//! id = "alive"
//! http = "http://127.0.0.1:8080/health"
//!
//! [[check]]                           # of the node: holds all its instances back while it is critical
//! id = "disk"
//! ttl = "2m"
//! ```
//!
//! A variable that is set to nothing counts as not set, and relative paths are taken from the working directory.

pub mod address;
mod block;
mod definitions;
mod dns;
pub mod file;
mod http;
pub mod keys;
mod layers;
pub mod resolved;
mod shown;
mod surroundings;
mod upstream;

use std::{collections::BTreeMap, fmt, path::Path};

pub use address::Seed;
pub use block::Block;
pub use definitions::{Definitions, Place};
pub use dns::{Names, Prefer, Ttls};
pub use file::Line;
pub use http::HttpTls;
pub use keys::{KEYS, Key};
pub use resolved::{Advertise, LogFormat, OnTerm, Resolved};
pub use shown::Shown;
pub use surroundings::Surroundings;
pub use upstream::{Upstream, name_servers};

use layers::Layers;

/// The texts that were given for each flag, by the flag's name.
pub type Flags = BTreeMap<&'static str, Vec<String>>;

/// Everything that keeps an agent from running with what it was given, a sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// Puts together what an agent runs with. Reads the file, if one is named, and nothing else.
///
/// # Errors
/// Everything that is wrong, each with where it was written and what is allowed there.
pub fn load(flags: &Flags, surroundings: &Surroundings) -> Result<Resolved, ConfigError> {
    resolved::resolve(&layers(flags, surroundings)?, surroundings)
}

/// The same, and where each value comes from.
///
/// # Errors
/// As [`load`].
pub fn explain(flags: &Flags, surroundings: &Surroundings) -> Result<Vec<Shown>, ConfigError> {
    let layers = layers(flags, surroundings)?;
    Ok(shown::show(&layers, &resolved::resolve(&layers, surroundings)?))
}

/// What an agent that runs with `old` would need a restart for to run with `new`: the names of the settings.
pub fn needs_restart(old: &Resolved, new: &Resolved) -> Vec<&'static str> {
    let meta = (old.meta != new.meta).then_some(keys::META);
    let other = |key: &&Key| !keys::RELOADED.contains(&key.flag) && shown::value_of(key, old) != shown::value_of(key, new);
    KEYS.iter().filter(other).filter_map(|key| key.file).chain(meta).collect()
}

fn layers<'a>(flags: &'a Flags, surroundings: &'a Surroundings) -> Result<Layers<'a>, ConfigError> {
    let mut layers = Layers::new(flags, surroundings);
    if let Some(given) = layers.get(&keys::CONFIG) {
        let path = given.text();
        let text =
            file::read(Path::new(path)).map_err(|error| ConfigError(vec![format!("{}: can't read {path}: {error}", given.origin)]))?;
        let (written, errors) = file::parse_all(&text);
        if !errors.is_empty() {
            let mut errors = errors.iter().map(|error| error.within(path)).collect();
            let mut definitions = Definitions::default();
            definitions.add_services(path, &written.services, &mut errors);
            definitions.add_checks(path, &written.checks, &mut errors);
            return Err(ConfigError(errors));
        }
        layers = layers.over(path.to_owned(), written);
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::{NodeName, Zone};

    #[test]
    fn what_nobody_sets_has_its_default() {
        let resolved = Given::default().load().unwrap();
        assert_eq!(resolved.name.as_str(), "db-1");
        assert_eq!(resolved.zone, None);
        assert_eq!(resolved.cluster.as_str(), "default");
        assert_eq!(resolved.data_dir, PathBuf::from("/home/me/.local/state/tidings"));
        assert_eq!(resolved.gossip.to_string(), "0.0.0.0:8746");
        assert_eq!(resolved.advertise, None);
        assert_eq!(resolved.http, Some("127.0.0.1:8780".parse().unwrap()));
        assert_eq!((resolved.http_socket, resolved.http_tls), (None, None));
        assert_eq!(resolved.dns.to_string(), "127.0.0.1:8753");
        assert_eq!(resolved.names.domain.as_str(), "tidings.internal");
        assert_eq!((resolved.join, resolved.http_names), (vec![], vec![]));
        assert_eq!(resolved.on_term, OnTerm::Leave);
        assert_eq!(resolved.log, "info");
        assert_eq!(resolved.log_format, LogFormat::Text);
        assert!(resolved.meta.is_empty());
    }

    #[test]
    fn a_port_left_out_is_the_default_one() {
        let resolved = Given::default()
            .flag("gossip", "10.0.0.5")
            .flag("http", "10.0.0.5")
            .flag("dns", "10.0.0.5")
            .flag("join", "seed")
            .load()
            .unwrap();
        assert_eq!(
            [resolved.gossip.port(), resolved.http.unwrap().port(), resolved.dns.port(), resolved.join[0].port],
            [8746, 8780, 8753, 8746]
        );
    }

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
        let zone = |given: &Given| given.load().unwrap().zone;
        let mut given = Given::default();
        assert_eq!(zone(&given), None);
        given = given.file("zone = \"from-file\"");
        assert_eq!(zone(&given), Some(Zone::new("from-file").unwrap()));
        given = given.env("TIDINGS_ZONE", "from-env");
        assert_eq!(zone(&given), Some(Zone::new("from-env").unwrap()));
        given = given.flag("zone", "from-flag");
        assert_eq!(zone(&given), Some(Zone::new("from-flag").unwrap()));
    }

    #[test]
    fn each_setting_can_come_from_each_place() {
        for key in KEYS.iter().filter(|key| key.flag != "config") {
            let text = keys::another_value(key);
            let given = || keys::needed_for_tests(key).into_iter().fold(Given::default(), |given, (flag, text)| given.flag(flag, text));
            let by_flag = given().flag(key.flag, text).load().unwrap();
            let by_env = given().env(key.env, text).load().unwrap();
            let value = if key.many { format!("[\"{text}\"]") } else { format!("\"{text}\"") };
            let by_file = given().file(&format!("{} = {value}", key.file.unwrap())).load().unwrap();
            // What is needed may be of no use without it.
            assert_ne!(given().load(), Ok(by_flag.clone()), "{key:?}");
            assert_eq!(by_flag, by_env, "{key:?}");
            assert_eq!(by_flag, by_file, "{key:?}");
        }
    }

    #[test]
    fn a_variable_set_to_nothing_counts_as_not_set() {
        let resolved =
            Given::default().env("TIDINGS_ZONE", "").env("TIDINGS_JOIN", "").file("zone = \"a\"\njoin = [\"seed\"]").load().unwrap();
        assert_eq!(resolved.zone, Some(Zone::new("a").unwrap()));
        assert_eq!(resolved.join.len(), 1);
    }

    #[test]
    fn the_seeds_of_the_uppermost_layer_are_joined_once_each() {
        let given = Given::default().file("join = [\"c\"]").env("TIDINGS_JOIN", "a, b:9000,a:8746,");
        let seeds = |given: &Given| given.load().unwrap().join.iter().map(Seed::to_string).collect::<Vec<_>>();
        assert_eq!(seeds(&given), ["a:8746", "b:9000"]);
        assert_eq!(seeds(&given.flag("join", "d").flag("join", "e")), ["d:8746", "e:8746"]);
    }

    #[test]
    fn the_name_is_made_of_the_first_label_of_the_host_name() {
        let named = |host: &str| Given::on(host).load().map(|resolved| resolved.name);
        let check = |host, name| assert_eq!(named(host), Ok(NodeName::new(name).unwrap()), "{host}");
        check("DB-1.corp.example", "db-1");
        check("my_host", "my-host");
        check("-edge-.local", "edge");
        check(&"a".repeat(70), &"a".repeat(63));
        for host in ["", "---", ".corp.example"] {
            let error = named(host).unwrap_err().to_string();
            assert!(error.contains("--name") && error.contains("TIDINGS_NAME"), "{error}");
        }
        let resolved = Given::on("---").flag("name", "a").load().unwrap();
        assert_eq!(resolved.name.as_str(), "a", "a name that is given needs no host name");
    }

    #[test]
    fn data_is_kept_where_the_user_may_write() {
        let folder = |given: Given| given.load().map(|resolved| resolved.data_dir);
        assert_eq!(folder(Given::default().env("XDG_STATE_HOME", "/state")), Ok("/state/tidings".into()));
        assert_eq!(folder(Given::default().env("XDG_STATE_HOME", "relative")), Ok("/home/me/.local/state/tidings".into()));
        let mut root = Given::default();
        root.surroundings.root = true;
        assert_eq!(folder(root), Ok("/var/lib/tidings".into()));
        let error = folder(Given::default().env("HOME", "")).unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
        assert!(folder(Given::default().flag("data-dir", "here")).unwrap().is_absolute());
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place_and_what_is_allowed() {
        let check = |given: Given, place: &str, allowed: &str| {
            let error = given.load().expect_err(place).to_string();
            assert!(error.contains(place) && error.contains(allowed), "{error}");
        };
        check(Given::default().flag("name", "no good"), "--name: ", "DNS label");
        check(Given::default().env("TIDINGS_GOSSIP", "here"), "TIDINGS_GOSSIP: ", "10.0.0.5:8746");
        check(Given::default().file("\n[dns]\nlisten = \"here\""), "tidings.toml, line 3: dns.listen: ", "10.0.0.5:8746");
        check(Given::default().file("join = [\"a b\"]"), "tidings.toml, line 1: join: ", "HOST:PORT");
        check(Given::default().file("[meta]\n\"a b\" = \"c\""), "tidings.toml, line 2: meta.a b: ", "visible ASCII");
        check(Given::default().flag("on-term", "stop"), "--on-term: ", "\"leave\" nor \"restart\"");
        check(Given::default().flag("log-format", "xml"), "--log-format: ", "\"text\" nor \"json\"");
        check(Given::default().flag("advertise", "0.0.0.0"), "--advertise: ", "can't be connected to");
        check(Given::default().flag("domain", "a..b"), "--domain: ", "DNS labels");
        check(Given::default().flag("http-name", "agent.example:8780"), "--http-name: ", "DNS labels");
        check(Given::default().flag("http", "none"), "--http: ", "--http-socket PATH");
        check(Given::default().flag("http-socket-mode", "rw"), "--http-socket-mode: ", "as in 0660");
        check(Given::default().flag("http-socket-mode", "1777"), "--http-socket-mode: ", "as in 0660");
        check(Given::default().flag("http-certificate", "/nowhere"), "--http-certificate: ", "--http-key");
        let (certificate, key) = keys::pair_for_tests();
        check(Given::default().flag("http-key", key), "--http-key: ", "--http-certificate");
        check(Given::default().flag("http-client-ca", certificate), "--http-client-ca: ", "--http-certificate");
        check(
            Given::default().flag("http-certificate", certificate).flag("http-key", key).flag("http", "none").flag("http-socket", "a"),
            "--http-certificate: ",
            "--http none",
        );
        check(Given::default().flag("http-certificate", key).flag("http-key", key), "--http-certificate: ", "holds no certificate");
        check(
            Given::default().flag("http-certificate", certificate).flag("http-key", certificate),
            "--http-certificate: ",
            "holds no private key",
        );
        check(Given::default().flag("http", "10.0.0.1:9000").flag("dns", "0.0.0.0:9000"), "--http (10.0.0.1:9000)", "--dns");
        check(Given::default().file("nmae = \"a\""), "tidings.toml, line 1: unknown key nmae", "did you mean name?");
        check(Given::default().flag("config", "/nowhere/tidings.toml"), "--config: ", "can't read /nowhere/tidings.toml");
    }

    #[test]
    fn a_key_that_systemd_guards_may_look_as_if_others_could_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let (certificate, key) = keys::pair_for_tests();
        let folder = tempfile::tempdir().unwrap();
        let guarded = folder.path().join("key");
        std::fs::copy(key, &guarded).unwrap();
        std::fs::set_permissions(&guarded, std::fs::Permissions::from_mode(0o440)).unwrap();
        let given = || Given::default().flag("http-certificate", certificate).flag("http-key", guarded.to_str().unwrap());
        assert!(given().load().unwrap_err().to_string().contains("its mode is 0440"));
        assert!(given().env("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()).load().unwrap().http_tls.is_some());
    }

    #[test]
    fn a_misspelled_level_is_refused() {
        let log = |text: &str| Given::default().flag("log", text).load().map(|resolved| resolved.log);
        for good in ["debug", "info,tidings::dns=trace", "warn, tidings=debug"] {
            assert_eq!(log(good), Ok(good.to_owned()));
        }
        for bad in ["inof", "info,", "tidings=lots", ""] {
            assert!(log(bad).unwrap_err().to_string().contains("error, warn, info"), "{bad}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let error = Given::default().flag("name", "a b").flag("dns", "x").env("TIDINGS_ZONE", "-").load().unwrap_err();
        assert_eq!(error.0.len(), 3, "{error}");
        let error = Given::default().file("name = 7\n[[service]]\nservice = \"web\"\nport = 0\n[[check]]\nid = \"a\"").load().unwrap_err();
        assert_eq!(error.0.len(), 3, "{error}");
    }

    struct Given {
        flags: Flags,
        surroundings: Surroundings,
        folder: Option<tempfile::TempDir>,
    }

    impl Default for Given {
        fn default() -> Self {
            Given::on("db-1.corp.example")
        }
    }

    impl Given {
        fn on(host: &str) -> Self {
            let surroundings = Surroundings { host_name: host.to_owned(), ..Surroundings::default() };
            Given { flags: Flags::new(), surroundings, folder: None }.env("HOME", "/home/me")
        }

        fn flag(mut self, flag: &'static str, text: &str) -> Self {
            self.flags.entry(flag).or_default().push(text.to_owned());
            self
        }

        fn env(mut self, name: &str, text: &str) -> Self {
            self.surroundings.env.insert(name.to_owned(), text.to_owned());
            self
        }

        fn file(mut self, text: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tidings.toml");
            std::fs::write(&path, text).unwrap();
            self.folder = Some(folder);
            self.flag("config", path.to_str().unwrap())
        }

        fn load(&self) -> Result<Resolved, ConfigError> {
            load(&self.flags, &self.surroundings)
        }
    }
}
