//! What an agent would run with, for people: each value, and where it comes from.

use super::{
    KEYS, Key, Place, Resolved,
    dns::ttl_text,
    keys::{CHECK, META, SERVICE},
    layers::{Layers, Origin},
};
use crate::{kinds, model::Registration};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it is of: a key of the file.
    pub key: String,
    /// The value; empty where there is none.
    pub value: String,
    /// Where it comes from.
    pub from: String,
}

/// All values, in the order of the flags, then what only a file has.
pub(super) fn show(layers: &Layers<'_>, resolved: &Resolved) -> Vec<Shown> {
    let settings = KEYS.iter().filter_map(|key| {
        let from = match layers.get(key).map(|given| given.origin) {
            Some(Origin::Default(_)) | None => "default".to_owned(),
            Some(Origin::File { path, line, key: _ }) => Place { file: path, line }.to_string(),
            Some(origin) => origin.to_string(),
        };
        Some(Shown { key: key.file?.to_owned(), value: value_of(key, resolved), from })
    });
    let meta = layers.file().into_iter().flat_map(|(path, written)| {
        written.meta.iter().map(move |(key, pair)| Shown {
            key: format!("{META}.{key}"),
            value: pair.value.clone(),
            from: Place { file: path.clone(), line: pair.line }.to_string(),
        })
    });
    let definitions = &resolved.definitions;
    let services = definitions.services.iter().map(|(id, (registration, place))| Shown {
        key: format!("{SERVICE} {id}"),
        value: service(registration),
        from: place.to_string(),
    });
    let checks = definitions.checks.iter().map(|(check, place)| Shown {
        key: format!("{CHECK} {}", check.id),
        value: kinds::asked(&check.probe),
        from: place.to_string(),
    });
    settings.chain(meta).chain(services).chain(checks).collect()
}

/// The value of a setting as it could be written; empty where there is none.
pub(super) fn value_of(key: &Key, resolved: &Resolved) -> String {
    fn text(value: Option<&impl ToString>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    fn all(values: &[impl ToString]) -> String {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
    match key.flag {
        "name" => resolved.name.to_string(),
        "zone" => text(resolved.zone.as_ref()),
        "cluster" => resolved.cluster.to_string(),
        "data-dir" => resolved.data_dir.display().to_string(),
        "gossip" => resolved.gossip.to_string(),
        "advertise" => text(resolved.advertise.as_ref()),
        "key-file" => text(resolved.keys.file.as_ref().map(|(path, _)| path.display()).as_ref()),
        "encryption" => resolved.keys.mode.to_string(),
        "http" => resolved.http.map_or_else(|| "none".to_owned(), |address| address.to_string()),
        "http-socket" => text(resolved.http_socket.as_ref().map(|path| path.display()).as_ref()),
        "http-socket-mode" => format!("{:04o}", resolved.http_socket_mode),
        "http-certificate" => text(resolved.http_tls.as_ref().map(|tls| tls.certificate.display()).as_ref()),
        "http-key" => text(resolved.http_tls.as_ref().map(|tls| tls.key.display()).as_ref()),
        "http-client-ca" => text(resolved.http_tls.as_ref().and_then(|tls| tls.client_ca.as_ref()).map(|file| file.display()).as_ref()),
        "http-reads" => resolved.access.reads.to_string(),
        "http-local" => resolved.access.local.to_string(),
        "token-file" => text(resolved.token_file.as_ref().map(|file| file.display()).as_ref()),
        "http-name" => all(&resolved.http_names),
        "dns" => resolved.dns.to_string(),
        "domain" => resolved.names.domain.to_string(),
        "dns-alt-domain" => text(resolved.names.alt_domain.as_ref()),
        "dns-ttl" => ttl_text(resolved.names.ttls.services),
        "dns-service-ttl" => {
            all(&resolved.names.ttls.service.iter().map(|(name, ttl)| format!("{name}={}", ttl_text(*ttl))).collect::<Vec<_>>())
        }
        "dns-negative-ttl" => ttl_text(resolved.names.ttls.negative),
        "dns-prefer" => resolved.names.prefer.to_string(),
        "dns-rate-limit" => resolved.names.reply_rate.to_string(),
        "dns-upstream" => all(&resolved.names.upstreams),
        "join" => all(&resolved.join),
        "service-dir" => text(resolved.service_dir.as_ref().map(|folder| folder.display()).as_ref()),
        "on-term" => resolved.on_term.to_string(),
        "log" => resolved.log.clone(),
        "log-format" => resolved.log_format.to_string(),
        _ => String::new(),
    }
}

fn service(registration: &Registration) -> String {
    let instance = &registration.instance;
    let checks = match registration.checks.len() {
        0 => String::new(),
        1 => ", 1 check".to_owned(),
        many => format!(", {many} checks"),
    };
    format!("{}, port {}{checks}", instance.service, instance.port)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Flags, Surroundings, explain, keys, load, needs_restart};

    #[test]
    fn each_value_is_shown_with_where_it_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.toml");
        let text = "cluster = \"blue\"\n[meta]\nowner = \"storage\"\n[[service]]\nservice = \"web\"\nport = 80\n[[check]]\nid = \"disk\"\nttl = \"2m\"";
        std::fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        let mut flags = Flags::from([("config", vec![path.clone()]), ("dns", vec!["10.0.0.5".into()])]);
        let mut surroundings = surroundings();
        surroundings.env.insert("TIDINGS_ZONE".into(), "rack-1".into());
        let shown = explain(&flags, &surroundings).unwrap();
        let row = |key: &str| shown.iter().find(|row| row.key == key).map(|row| (row.value.as_str(), row.from.as_str())).unwrap();
        assert_eq!(row("name"), ("here", "default"));
        assert_eq!(row("cluster"), ("blue", &*format!("{path}, line 1")));
        assert_eq!(row("zone"), ("rack-1", "TIDINGS_ZONE"));
        assert_eq!(row("dns.listen"), ("10.0.0.5:8753", "--dns"));
        assert_eq!(row("http.listen"), ("127.0.0.1:8780", "default"));
        assert_eq!(row("gossip.advertise"), ("", "default"));
        assert_eq!(row("meta.owner"), ("storage", &*format!("{path}, line 3")));
        assert_eq!(row("service web"), ("web, port 80", &*format!("{path}, line 4")));
        assert_eq!(row("check disk"), ("ttl 120s", &*format!("{path}, line 7")));
        flags.insert("log", vec!["inof".into()]);
        assert!(explain(&flags, &surroundings).is_err());
    }

    #[test]
    fn each_setting_that_is_not_taken_over_at_a_reload_needs_a_restart() {
        let old = load(&Flags::from([("key-file", vec![keys::keys_for_tests().to_owned()])]), &surroundings()).unwrap();
        for key in KEYS.iter().filter(|key| key.flag != "config") {
            let text = keys::another_value(key);
            let mut flags = Flags::from([("key-file", vec![keys::keys_for_tests().to_owned()])]);
            flags.extend(keys::needed_for_tests(key).into_iter().map(|(flag, text)| (flag, vec![text.to_owned()])));
            flags.insert(key.flag, vec![text.to_owned()]);
            let new = load(&flags, &surroundings()).unwrap();
            let reloaded = keys::RELOADED.contains(&key.flag);
            let expected: Vec<&str> = key.file.filter(|_| !reloaded).into_iter().collect();
            assert_eq!(needs_restart(&old, &new), expected, "{}", key.flag);
        }
    }

    fn surroundings() -> Surroundings {
        let env = BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
        Surroundings { host_name: "here".into(), env, ..Surroundings::default() }
    }
}
