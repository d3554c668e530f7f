//! Claims about what comes from the network: any bytes are borne, and what was written is what is read.

#[path = "wire/answers.rs"]
mod answers;
#[path = "wire/mangler.rs"]
mod mangler;
#[path = "wire/messages.rs"]
mod messages;
#[path = "wire/pair.rs"]
mod pair;
#[path = "wire/protocol.rs"]
mod protocol;
#[path = "wire/readers.rs"]
mod readers;
#[path = "wire/recorded.rs"]
mod recorded;
#[path = "wire/traffic.rs"]
mod traffic;
