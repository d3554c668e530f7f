//! Every setting: its flag, its variable, its key in the file and its default, each written down once.
//!
//! The command line, the reader of the file and the resolver all work from this table, so they can't drift apart.

/// One setting of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its flag, without the two hyphens.
    pub flag: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// Its key in the file, with a dot between a table and what stands in it. None for what can't stand in a file.
    pub file: Option<&'static str>,
    /// Whether it takes several values: a repeated flag, a comma-separated variable, a list in the file.
    pub many: bool,
    /// What its value is called in the help.
    pub value: &'static str,
    /// The value where nobody set it. None where that takes more than a constant; the help says what it is then.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
}

impl Key {
    const fn new(flag: &'static str, env: &'static str, file: &'static str, value: &'static str, help: &'static str) -> Key {
        Key { flag, env, file: Some(file), many: false, value, default: None, help }
    }

    const fn or(mut self, default: &'static str) -> Key {
        self.default = Some(default);
        self
    }
}

/// The file itself.
pub const CONFIG: Key =
    Key { file: None, ..Key::new("config", "TIDINGS_CONFIG", "", "FILE", "File with settings (TOML) [default: no file]") };
/// The name of this node.
pub const NAME: Key =
    Key::new("name", "TIDINGS_NAME", "name", "NAME", "Name of this node, a DNS label [default: the first label of the host name]");
/// The zone of this node.
pub const ZONE: Key = Key::new("zone", "TIDINGS_ZONE", "zone", "ZONE", "Where this node is: a rack, a data centre [default: no zone]");
/// The name of the cluster.
pub const CLUSTER: Key =
    Key::new("cluster", "TIDINGS_CLUSTER", "cluster", "CLUSTER", "Name of the cluster; agents of two clusters never merge").or("default");
/// Where data is kept.
pub const DATA_DIR: Key = Key::new(
    "data-dir",
    "TIDINGS_DATA_DIR",
    "data_dir",
    "DIR",
    "Folder for what has to survive a restart [default: /var/lib/tidings for root, else $XDG_STATE_HOME/tidings or ~/.local/state/tidings]",
);
/// Where gossip is received.
pub const GOSSIP: Key = Key::new(
    "gossip",
    "TIDINGS_GOSSIP",
    "gossip.listen",
    "ADDR:PORT",
    "Where to receive gossip, over UDP and TCP; [::]:8746 is for IPv6 and IPv4",
)
.or("0.0.0.0:8746");
/// Where others reach this agent's gossip.
pub const ADVERTISE: Key = Key::new(
    "advertise",
    "TIDINGS_ADVERTISE",
    "gossip.advertise",
    "ADDR[:PORT]",
    "Address that other agents reach this one at [default: found out from the interfaces; port: that of --gossip]",
);
/// The keys that gossip is encrypted with.
pub const KEY_FILE: Key = Key::new(
    "key-file",
    "TIDINGS_KEY_FILE",
    "gossip.key_file",
    "FILE",
    "File with the keys that gossip is encrypted with, which nobody but its owner may read [default: the systemd credential tidings.keys, or none]",
);
/// How far gossip is encrypted.
pub const ENCRYPTION: Key = Key::new(
    "encryption",
    "TIDINGS_ENCRYPTION",
    "gossip.encryption",
    "off|accept|require",
    "Send gossip in the clear, or encrypted and take both, or encrypted and take nothing else [default: require where there are keys, else off]",
);
/// Where the REST API is served.
pub const HTTP: Key =
    Key::new("http", "TIDINGS_HTTP", "http.listen", "ADDR:PORT|none", "Where to serve the REST API; none: at --http-socket alone")
        .or("127.0.0.1:8780");
/// Where else the REST API is served.
pub const HTTP_SOCKET: Key = Key::new(
    "http-socket",
    "TIDINGS_HTTP_SOCKET",
    "http.socket",
    "PATH",
    "Unix socket to serve the REST API at, too, for programs on this host [default: none]",
);
/// Who may use that socket.
pub const HTTP_SOCKET_MODE: Key = Key::new(
    "http-socket-mode",
    "TIDINGS_HTTP_SOCKET_MODE",
    "http.socket_mode",
    "MODE",
    "Who may use that socket, as chmod takes it; its group is the agent's",
)
.or("0600");
/// The certificate that the REST API shows.
pub const HTTP_CERTIFICATE: Key = Key::new(
    "http-certificate",
    "TIDINGS_HTTP_CERTIFICATE",
    "http.certificate",
    "FILE",
    "Certificate of the REST API (PEM, with its chain): https is served in place of http [default: none]",
);
/// The key of that certificate.
pub const HTTP_KEY: Key = Key::new(
    "http-key",
    "TIDINGS_HTTP_KEY",
    "http.key",
    "FILE",
    "Private key of that certificate (PEM), which nobody but its owner may read",
);
/// Who signs the certificates of clients.
pub const HTTP_CLIENT_CA: Key = Key::new(
    "http-client-ca",
    "TIDINGS_HTTP_CLIENT_CA",
    "http.client_ca",
    "FILE",
    "Authorities (PEM): https is served to clients with a certificate of one of them, and to no other [default: to all]",
);
/// What the host of the REST API may be called.
pub const HTTP_NAME: Key = Key {
    many: true,
    ..Key::new(
        "http-name",
        "TIDINGS_HTTP_NAME",
        "http.names",
        "NAME",
        "Name that clients may ask the REST API by, beside addresses and localhost; repeat it for several [default: none]",
    )
};
/// What is asked of who reads from elsewhere.
pub const HTTP_READS: Key = Key::new(
    "http-reads",
    "TIDINGS_HTTP_READS",
    "http.reads",
    "open|token",
    "Whether who reads from another host needs a token; who writes from there always does",
)
.or("open");
/// What is asked of programs on this host.
pub const HTTP_LOCAL: Key = Key::new(
    "http-local",
    "TIDINGS_HTTP_LOCAL",
    "http.local",
    "open|token",
    "Whether programs on this host need a token, too: say so where a proxy on it lets others in",
)
.or("open");
/// The tokens.
pub const TOKEN_FILE: Key = Key::new(
    "token-file",
    "TIDINGS_TOKEN_FILE",
    "http.token_file",
    "FILE",
    "File with [[token]] tables, as `tidings tokens generate` prints them [default: no tokens]",
);
/// Where DNS is served.
pub const DNS: Key = Key::new("dns", "TIDINGS_DNS", "dns.listen", "ADDR:PORT", "Where to serve DNS, over UDP and TCP").or("127.0.0.1:8753");
/// The domain of all names.
pub const DOMAIN: Key =
    Key::new("domain", "TIDINGS_DOMAIN", "dns.domain", "DOMAIN", "Domain under which names are answered").or("tidings.internal");
/// A second domain.
pub const DNS_ALT_DOMAIN: Key = Key::new(
    "dns-alt-domain",
    "TIDINGS_DNS_ALT_DOMAIN",
    "dns.alt_domain",
    "DOMAIN",
    "Domain under which the same names are answered, too, for who comes from another registry [default: none]",
);
/// For how long answers of services may be cached.
pub const DNS_TTL: Key =
    Key::new("dns-ttl", "TIDINGS_DNS_TTL", "dns.ttl", "DURATION", "For how long what is answered of services may be cached").or("0s");
/// The same for single services.
pub const DNS_SERVICE_TTL: Key = Key {
    many: true,
    ..Key::new(
        "dns-service-ttl",
        "TIDINGS_DNS_SERVICE_TTL",
        "dns.service_ttl",
        "SERVICE=DURATION",
        "The same for one service; repeat it for several [default: that of --dns-ttl]",
    )
};
/// For how long it may be cached that something is not there.
pub const DNS_NEGATIVE_TTL: Key = Key::new(
    "dns-negative-ttl",
    "TIDINGS_DNS_NEGATIVE_TTL",
    "dns.negative_ttl",
    "DURATION",
    "For how long it may be cached that something is not there",
)
.or("1s");
/// Whose instances come first.
pub const DNS_PREFER: Key = Key::new(
    "dns-prefer",
    "TIDINGS_DNS_PREFER",
    "dns.prefer",
    "none|zone|node",
    "Whose instances come first in an answer: nobody's, those of this node's zone, or this node's own before those",
)
.or("none");
/// Who is asked about other names.
pub const DNS_UPSTREAM: Key = Key {
    many: true,
    ..Key::new(
        "dns-upstream",
        "TIDINGS_DNS_UPSTREAM",
        "dns.upstream",
        "ADDR[:PORT]|system",
        "DNS server to ask about names outside the domain, or system for those that this host asks; repeat it for several [default: none, and such names are refused]",
    )
};
/// How many replies a network gets.
pub const DNS_RATE_LIMIT: Key = Key::new(
    "dns-rate-limit",
    "TIDINGS_DNS_RATE_LIMIT",
    "dns.rate_limit",
    "NUMBER",
    "Replies a second that a client's network (/24, /56) gets over UDP, beyond which each second query is sent to TCP and the others get nothing; 0 for any number",
)
.or("0");
/// Whom to join.
pub const JOIN: Key = Key {
    many: true,
    ..Key::new("join", "TIDINGS_JOIN", "join", "HOST[:PORT]", "Agent to join; repeat it for several [default port: 8746]")
};
/// What to do on SIGTERM and SIGINT.
pub const ON_TERM: Key = Key::new(
    "on-term",
    "TIDINGS_ON_TERM",
    "on_term",
    "leave|restart",
    "On SIGTERM and SIGINT: leave the cluster, or announce a short absence",
)
.or("leave");
/// What to log.
pub const LOG: Key = Key::new(
    "log",
    "TIDINGS_LOG",
    "log",
    "LEVEL",
    "What to log: error, warn, info, debug or trace, also per part as in info,tidings::dns=debug",
)
.or("info");
/// How to log.
pub const LOG_FORMAT: Key =
    Key::new("log-format", "TIDINGS_LOG_FORMAT", "log_format", "text|json", "How to write the log, which goes to standard error")
        .or("text");

/// Where files with services are.
pub const SERVICE_DIR: Key = Key::new(
    "service-dir",
    "TIDINGS_SERVICE_DIR",
    "service_dir",
    "DIR",
    "Folder with files of [[service]] tables, named *.toml [default: none]",
);

/// All settings that have a flag, in the order of the help.
pub const KEYS: [Key; 33] = [
    CONFIG,
    NAME,
    ZONE,
    CLUSTER,
    DATA_DIR,
    GOSSIP,
    ADVERTISE,
    KEY_FILE,
    ENCRYPTION,
    HTTP,
    HTTP_SOCKET,
    HTTP_SOCKET_MODE,
    HTTP_CERTIFICATE,
    HTTP_KEY,
    HTTP_CLIENT_CA,
    HTTP_NAME,
    HTTP_READS,
    HTTP_LOCAL,
    TOKEN_FILE,
    DNS,
    DOMAIN,
    DNS_ALT_DOMAIN,
    DNS_TTL,
    DNS_SERVICE_TTL,
    DNS_NEGATIVE_TTL,
    DNS_PREFER,
    DNS_UPSTREAM,
    DNS_RATE_LIMIT,
    JOIN,
    SERVICE_DIR,
    ON_TERM,
    LOG,
    LOG_FORMAT,
];

/// The flags of the settings that a running agent takes over at a reload, beside services and checks.
pub const RELOADED: [&str; 11] = [
    "join",
    "service-dir",
    "key-file",
    "encryption",
    "http-certificate",
    "http-key",
    "http-client-ca",
    "http-reads",
    "http-local",
    "token-file",
    "log",
];

/// The table of the file with this node's metadata. It has neither flag nor variable.
pub const META: &str = "meta";
/// The tables of the file that define an instance each.
pub const SERVICE: &str = "service";
/// The tables of the file that define a check of the node each.
pub const CHECK: &str = "check";
/// All tables of the file that have neither flag nor variable.
pub const TABLES: [&str; 3] = [META, SERVICE, CHECK];

/// The setting with this key in the file.
pub fn by_file_key(key: &str) -> Option<&'static Key> {
    KEYS.iter().find(|known| known.file == Some(key))
}

/// What the writer of an unknown key may have meant: a key of the file that is spelled alike, or that has this
/// name as a flag, whatever table it was written into.
pub fn nearest(unknown: &str) -> Option<&'static str> {
    let last = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
    let meant = unknown.rsplit('.').next().unwrap_or(unknown).replace('-', "_").to_lowercase();
    let distance = |key: &'static str, flag: &str| {
        let whole = strsim::damerau_levenshtein(unknown, key);
        let part = strsim::damerau_levenshtein(&meant, last(key));
        let flag = strsim::damerau_levenshtein(&meant, &flag.replace('-', "_"));
        // Ties go to the key that also stands in the right table.
        (whole.min(part).min(flag), whole)
    };
    let known = KEYS.iter().filter_map(|key| Some((key.file?, key.flag))).chain(TABLES.map(|table| (table, table)));
    let (near, key) = known.map(|(key, flag)| (distance(key, flag), key)).min()?;
    (near.0 <= 1.max(meant.len() / 3)).then_some(key)
}

/// A value of a setting that is not its default; where [`needed_for_tests`] are given, too.
#[cfg(test)]
pub(super) fn another_value(key: &Key) -> &str {
    match key.flag {
        "key-file" => keys_for_tests(),
        "gossip" | "http" | "dns" | "advertise" | "join" | "dns-upstream" => "10.9.8.7:4321",
        "on-term" => "restart",
        "encryption" => "off",
        "http-reads" | "http-local" => "token",
        "token-file" => tokens_for_tests(),
        "http-socket-mode" => "0660",
        "http-certificate" | "http-client-ca" => pair_for_tests().0,
        "http-key" => pair_for_tests().1,
        "dns-ttl" | "dns-negative-ttl" => "30s",
        "dns-service-ttl" => "web=30s",
        "dns-prefer" => "zone",
        "dns-rate-limit" => "100",
        "log" => "trace",
        "log-format" => "json",
        "data-dir" => "/srv/tidings",
        "service-dir" => "/",
        _ => "other",
    }
}

/// What another setting takes before it means anything.
#[cfg(test)]
pub(super) fn needed_for_tests(key: &Key) -> Vec<(&'static str, &'static str)> {
    let (certificate, private) = pair_for_tests();
    match key.flag {
        "encryption" => vec![("key-file", keys_for_tests())],
        "http-certificate" => vec![("http-key", private)],
        "http-key" => vec![("http-certificate", certificate)],
        "http-client-ca" => vec![("http-certificate", certificate), ("http-key", private)],
        _ => vec![],
    }
}

/// Files with a certificate and its private key, which nobody else may read.
#[cfg(test)]
pub(super) fn pair_for_tests() -> (&'static str, &'static str) {
    use std::{io::Write as _, sync::LazyLock};
    static FILES: LazyLock<[tempfile::NamedTempFile; 2]> = LazyLock::new(|| {
        let pair = rcgen::generate_simple_self_signed(["agent.example".to_owned()]).expect("a certificate");
        [pair.cert.pem(), pair.signing_key.serialize_pem()].map(|text| {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            file.write_all(text.as_bytes()).expect("it is writable");
            file
        })
    });
    let [certificate, key] = FILES.each_ref().map(|file| file.path().to_str().expect("it is ASCII"));
    (certificate, key)
}

/// A file with a key that nobody else may read.
#[cfg(test)]
pub(super) fn keys_for_tests() -> &'static str {
    use std::{io::Write as _, sync::LazyLock};
    static FILE: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        writeln!(file, "5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=").expect("it is writable");
        file
    });
    FILE.path().to_str().expect("it is ASCII")
}

/// A file with a token.
#[cfg(test)]
pub(super) fn tokens_for_tests() -> &'static str {
    use std::{io::Write as _, sync::LazyLock};
    static FILE: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        writeln!(file, "[[token]]\nname = \"a\"\nhash = \"sha256:{}\"\nscopes = [\"read\"]", "a7".repeat(32)).expect("it is writable");
        file
    });
    FILE.path().to_str().expect("it is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_named_after_its_flag() {
        for key in KEYS {
            assert_eq!(key.env, format!("TIDINGS_{}", key.flag.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn a_key_is_the_flag_or_stands_in_a_table_with_the_flag_as_its_name_or_last_part_or_is_the_plural_of_it() {
        for key in KEYS.iter().filter(|key| key.flag != "config") {
            let flag = key.flag.replace('-', "_");
            let file = key.file.expect("all but the file itself may stand in a file");
            let plural = key.many && file.replace('.', "_") == format!("{flag}s");
            assert!(file.replace('.', "_") == flag || file.split('.').any(|part| part == flag) || plural, "{key:?}");
        }
    }

    #[test]
    fn what_was_meant_is_found() {
        let check = |unknown, meant| assert_eq!(nearest(unknown), meant, "{unknown}");
        check("nmae", Some("name"));
        check("data-dir", Some("data_dir"));
        check("data_folder", None);
        check("dns.lisen", Some("dns.listen"));
        check("http.lisen", Some("http.listen"));
        check("advertise", Some("gossip.advertise"));
        check("domain", Some("dns.domain"));
        check("dns.domian", Some("dns.domain"));
        check("gossip.join", Some("join"));
        check("log-format", Some("log_format"));
        check("metadata", None);
        check("metta", Some("meta"));
        check("colour", None);
    }
}
