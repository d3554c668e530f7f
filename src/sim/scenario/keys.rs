//! Every key of the format, written down once: the reader refuses all others, and a test holds the documentation against these.

/// A table and the keys that may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its key where it stands; empty for the file as a whole.
    pub name: &'static str,
    /// What may stand in it; nothing, where it is no table but a plain value.
    pub keys: &'static [&'static str],
}

/// The file.
pub const FILE: Table = Table { name: "", keys: &["title", "nodes", "groups", "network", "node", "link", "step"] };
/// What holds for all nodes.
pub const NODES: Table =
    Table { name: "nodes", keys: &["count", "names", "cluster", "zone", "join", "on_term", "reap_after", "started", "keys", "encryption"] };
/// What holds for some of them.
pub const NODE: Table = Table {
    name: "node",
    keys: &["name", "nodes", "called", "cluster", "zone", "join", "on_term", "reap_after", "started", "keys", "encryption"],
};
/// The network between all nodes.
pub const NETWORK: Table =
    Table { name: "network", keys: &["latency", "jitter", "loss", "duplication", "reordering", "reordered_by", "mtu"] };
/// The way from some nodes to others.
pub const LINK: Table = Table { name: "link", keys: &["from", "to", "between", "delay", "loss", "protocol", "rate"] };
/// Any step.
pub const STEP: Table = Table { name: "step", keys: &["at", "after", "within", "throughout", "refused", "unanswered"] };

/// What can be done in a step.
pub const ACTIONS: &[Table] = &[
    Table { name: "start", keys: &[] },
    Table { name: "stop", keys: &[] },
    Table { name: "kill", keys: &[] },
    Table { name: "restart", keys: &[] },
    Table { name: "pause", keys: &[] },
    Table { name: "resume", keys: &[] },
    Table { name: "freeze", keys: &["nodes", "for"] },
    Table { name: "suspend", keys: &["nodes", "for"] },
    Table { name: "lose_power", keys: &[] },
    Table { name: "partition", keys: &[] },
    Table { name: "cut", keys: &["from", "to", "between"] },
    Table { name: "heal", keys: &[] },
    Table { name: NETWORK.name, keys: NETWORK.keys },
    Table { name: LINK.name, keys: LINK.keys },
    Table { name: "change_address", keys: &[] },
    Table { name: "take_address", keys: &["node", "of"] },
    Table { name: "copy_data", keys: &["from", "to"] },
    Table { name: "backup", keys: &[] },
    Table { name: "restore", keys: &[] },
    Table { name: "wipe", keys: &[] },
    Table { name: "disk", keys: &["nodes", "state", "write_takes"] },
    Table { name: "health", keys: &["nodes", "id", "status"] },
    Table { name: "add_key", keys: &["nodes", "key"] },
    Table { name: "use_key", keys: &["nodes", "key"] },
    Table { name: "remove_key", keys: &["nodes", "key"] },
    Table { name: "encryption", keys: &["nodes", "mode"] },
    Table { name: "record", keys: &["from", "to", "between"] },
    Table { name: "replay", keys: &["to", "from"] },
    REGISTER,
    Table { name: "deregister", keys: &["nodes", "id"] },
    Table { name: "maintenance", keys: &["nodes", "id", "reason"] },
    Table { name: "end_maintenance", keys: &["nodes", "id"] },
    Table { name: "leave", keys: &[] },
    Table { name: "forget", keys: &["node", "by"] },
];

/// A registration: the fields of a definition, and with whom.
pub const REGISTER: Table =
    Table { name: "register", keys: &["nodes", "id", "service", "addresses", "port", "protocol", "tags", "meta", "weight", "checks"] };

/// Actions that an agent answers.
pub const WRITES: &[&str] = &["register", "deregister", "maintenance", "end_maintenance", "leave", "forget"];

/// What can be expected in a step.
pub const EXPECTATIONS: &[Table] = &[
    Table { name: "hands_out", keys: &["service", "instances", "by"] },
    Table { name: "held_back", keys: &["service", "instances", "reason", "by"] },
    Table { name: "sees", keys: &["nodes", "state", "by"] },
    Table { name: "agree", keys: &[] },
    Table { name: "stopped", keys: &["nodes", "error"] },
    Table { name: "holds_name", keys: &["node", "name", "by"] },
];

/// Every key with the tables that it stands in, dotted; `*` where any name may stand.
pub fn all() -> Vec<String> {
    let below = |above: &str, table: &Table| table.keys.iter().map(|key| format!("{above}{key}")).collect::<Vec<_>>();
    let tables = [NODES, NODE, NETWORK, LINK, STEP].into_iter().flat_map(|table| below(&format!("{}.", table.name), &table));
    // What changes the network or a link has the keys of their tables.
    let deeds = ACTIONS.iter().chain(EXPECTATIONS).flat_map(|deed| match deed.name {
        "network" | "link" => vec![format!("step.{}.*", deed.name)],
        name if deed.keys.is_empty() => vec![format!("step.{name}")],
        name => below(&format!("step.{name}."), deed),
    });
    let inner =
        ["groups.*", "network.latency.*", "link.delay.*", "step.network.latency.*", "step.register.checks.*", "step.register.meta.*"];
    let all = tables.chain(deeds).chain(inner.map(str::to_owned)).chain(["title".to_owned()]);
    all.filter(|key| !["step.register.checks", "step.register.meta"].contains(&key.as_str())).collect()
}

/// An action or an expectation.
pub fn deed(name: &str) -> Option<&'static Table> {
    ACTIONS.iter().chain(EXPECTATIONS).find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;

    #[test]
    fn a_registration_has_the_fields_of_a_definition_but_for_what_removes_it_by_itself() {
        let fields: Vec<&str> = definition::FIELDS.iter().copied().filter(|field| *field != "deregister_after").collect();
        assert_eq!(REGISTER.keys[1..], fields);
    }

    #[test]
    fn no_key_of_a_step_means_two_things() {
        let mut names: Vec<&str> = STEP.keys.iter().copied().chain(ACTIONS.iter().chain(EXPECTATIONS).map(|table| table.name)).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(WRITES.iter().all(|write| ACTIONS.iter().any(|action| action.name == *write)));
    }
}
