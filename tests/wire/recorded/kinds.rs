//! Kinds of messages by their names.

use tidings::wire::message::kind;

/// All kinds of messages.
pub(super) const KINDS: [(u8, &str); 20] = [
    (kind::FOCA, "FOCA"),
    (kind::DIGEST, "DIGEST"),
    (kind::PUSH, "PUSH"),
    (kind::PROBE, "PROBE"),
    (kind::PROBE_ACK, "PROBE_ACK"),
    (kind::PROBE_REQUEST, "PROBE_REQUEST"),
    (kind::PROBE_REPORT, "PROBE_REPORT"),
    (kind::HELLO, "HELLO"),
    (kind::REFUSE, "REFUSE"),
    (kind::BUCKETS, "BUCKETS"),
    (kind::MEMBERS, "MEMBERS"),
    (kind::GRAVES, "GRAVES"),
    (kind::OWNERS, "OWNERS"),
    (kind::WANT, "WANT"),
    (kind::WANTS_END, "WANTS_END"),
    (kind::HAVE, "HAVE"),
    (kind::HAVES_END, "HAVES_END"),
    (kind::WATCH, "WATCH"),
    (kind::WATCH_END, "WATCH_END"),
    (kind::SPEAKS, "SPEAKS"),
];

pub(super) fn name(kind: u8) -> Option<&'static str> {
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}
