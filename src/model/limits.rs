//! Every limit on what an owner may register. They are enforced where data enters: at the owner and at the join.

/// Instances that one node may own.
pub const INSTANCES_PER_NODE: usize = 1_000;
/// Addresses of a node or an instance.
pub const ADDRESSES: usize = 4;
/// Tags of an instance.
pub const TAGS: usize = 32;
/// Key and value pairs of metadata, of a node or an instance.
pub const META_PAIRS: usize = 64;
/// Octets in a metadata key.
pub const META_KEY_OCTETS: usize = 64;
/// Octets in a metadata value.
pub const META_VALUE_OCTETS: usize = 512;
/// Octets of one definition as it is stored and gossiped.
pub const DEFINITION_OCTETS: usize = 8 * 1024;
/// Octets in a reason given for maintenance, or for a check's status, as it is gossiped.
pub const REASON_OCTETS: usize = 200;
/// Octets in a label: names of nodes, services, zones and clusters, tags and instance ids (RFC 1035, 2.3.4).
pub const LABEL_OCTETS: usize = 63;
/// Octets in the DNS domain as text. What is longest under it, `_tag` and `_service` or a tag and a service of 63
/// octets each before `.service`, then just fits the 255 octets of a name (RFC 1035, 2.3.4).
pub const DOMAIN_OCTETS: usize = 117;
/// Checks of an instance.
pub const CHECKS: usize = 16;
/// Results in a row that `rise` and `fall` may ask for.
pub const CHECK_RUNS: u16 = 100;
/// Octets of a check's output that its owner keeps.
pub const OUTPUT_OCTETS: usize = 4 * 1024;

/// Keys of gossip that a node may hold: the one of before, the one of now and the one to come, and as many again for those who lost count.
pub const KEYS: usize = 6;
