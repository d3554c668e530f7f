//! One property each, checked in every world.

mod answers;
mod bounded;
mod converged;
mod durable;
pub mod excuses;
mod healthy;
mod names;
mod reads;
mod records;
mod removals;
mod sealed;
mod vanished;

use super::Watcher;

/// One of each.
pub fn all() -> Vec<Box<dyn Watcher>> {
    vec![
        Box::<reads::Reads>::default(),
        Box::<durable::Durable>::default(),
        Box::<records::Records>::default(),
        Box::<converged::Converged>::default(),
        Box::<removals::Removals>::default(),
        Box::<vanished::Vanished>::default(),
        Box::<healthy::Healthy>::default(),
        Box::<answers::Answers>::default(),
        Box::<bounded::Bounded>::default(),
        Box::<names::Names>::default(),
        Box::<sealed::Sealed>::default(),
    ]
}
