//! Hosts and networks for tests, made of network namespaces: who is on them has addresses, routes and losses of their own, and nothing
//! of it is left when they are dropped, or when the process that made them is gone. It needs root.

pub(crate) mod ethernet;
pub(crate) mod host;
pub(crate) mod names;
pub(crate) mod router;
