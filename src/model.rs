//! Values that validate themselves: nothing here does I/O or depends on any other room.

pub mod change;
pub mod check;
pub mod command;
pub mod domain;
pub mod encryption;
pub mod instance;
pub mod limits;
pub mod name;
pub mod node;
pub mod record;
pub mod status;
pub mod storage;

pub use change::Change;
pub use check::{Check, CheckOrder, CheckState, Health, Registration};
pub use command::{Command, Done, Refusal, Reply};
pub use domain::Domain;
pub use instance::{Instance, Protocol};
pub use name::{CheckId, ClusterName, InstanceId, NameError, NodeName, ServiceName, Tag, Zone};
pub use node::{Life, MemberState, Node, NodeId};
pub use status::Status;
pub use storage::{StoreOp, StoredGrave};
