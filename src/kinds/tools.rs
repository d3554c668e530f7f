//! What runs share.

use super::{connect::Resolver, tls::Trust};

/// What runs share: whoever runs checks has one of it.
#[derive(Default)]
pub struct Tools {
    /// Looks names up.
    pub(super) resolver: Resolver,
    /// Knows whom to trust.
    pub(super) trust: Trust,
}
