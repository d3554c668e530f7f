//! The table of rooms, as data: who may use whom, and what never is in a room.

/// A top-level module of the crate, or several that stand on one floor and make one room.
pub(crate) struct Room {
    /// The modules, named as their files are.
    pub(crate) modules: &'static [&'static str],
    /// Rooms below that it may not use all the same.
    pub(crate) never: &'static [&'static str],
    /// What its line bans beside other rooms.
    pub(crate) bans: &'static [Ban],
}

/// Paths that a room must not name.
pub(crate) struct Ban {
    /// Why; it is part of the report.
    pub(crate) why: &'static str,
    /// Segments that must not follow one another anywhere in a path, once its aliases are resolved.
    pub(crate) paths: &'static [&'static str],
}

/// From the top of the house down: a room may use what stands below it, never what stands above or beside it.
pub(crate) const HOUSE: &[Room] = &[
    Room {
        modules: &["main", "cli"],
        never: &["http", "dns", "core", "catalog", "checks", "metrics", "registrar", "store", "definition", "kinds", "fields", "wire"],
        bans: &[],
    },
    Room { modules: &["agent"], never: &[], bans: &[] },
    Room { modules: &["sim"], never: &[], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["http"], never: &["dns", "core"], bans: &[] },
    Room { modules: &["dns"], never: &["core"], bans: &[] },
    Room {
        modules: &["core"],
        never: &["catalog", "metrics", "registrar", "store", "definition", "kinds", "fields", "tls"],
        bans: &[TOKIO, SOCKETS, CLOCKS, OS_RANDOMNESS, HASH_TABLES],
    },
    Room { modules: &["catalog"], never: &["metrics", "registrar", "kinds"], bans: &[TOKIO] },
    Room { modules: &["checks"], never: &[], bans: &[] },
    Room {
        modules: &["metrics"],
        never: &["registrar", "store", "config", "definition", "kinds", "fields", "wire"],
        bans: &[TOKIO, SOCKETS, HASH_TABLES],
    },
    Room { modules: &["registrar"], never: &[], bans: &[] },
    Room { modules: &["store"], never: &["config", "kinds"], bans: &[TOKIO] },
    Room { modules: &["config"], never: &[], bans: &[] },
    Room { modules: &["definition"], never: &["wire"], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["kinds"], never: &["wire"], bans: &[] },
    Room { modules: &["fields"], never: &["wire"], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["wire"], never: &[], bans: &[TOKIO] },
    Room { modules: &["tls"], never: &[], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["access", "keyring"], never: &[], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["model"], never: &["planted"], bans: &[TOKIO, SOCKETS] },
    Room { modules: &["planted"], never: &[], bans: &[TOKIO, SOCKETS] },
];

const TOKIO: Ban = Ban { why: "no tokio here", paths: &["tokio", "tokio_util"] };
const SOCKETS: Ban = Ban {
    why: "no sockets here",
    paths: &["UdpSocket", "TcpStream", "TcpListener", "UnixStream", "UnixListener", "UnixDatagram", "ToSocketAddrs", "socket2"],
};
const CLOCKS: Ban = Ban {
    why: "time is passed in",
    paths: &["Instant::now", "SystemTime::now", "elapsed", "Timestamp::now", "Zoned::now", "clock_gettime"],
};
const OS_RANDOMNESS: Ban = Ban {
    why: "randomness is passed in",
    paths: &["rand::rng", "rand::random", "rand::make_rng", "ThreadRng", "SysRng", "OsRng", "getrandom", "RandomState"],
};
const HASH_TABLES: Ban =
    Ban { why: "the order of a hash table differs from run to run", paths: &["HashMap", "HashSet", "hash_map", "hash_set"] };

/// The floor of a module, counted from the top.
pub(crate) fn floor(module: &str) -> Option<usize> {
    HOUSE.iter().position(|room| room.modules.contains(&module))
}
