//! How packets pass where none is lost: how long they take, which come twice and which late, on a site that can be told so. It is
//! drawn for, and held to have hit something, by the code that does so in virtual time.

use std::sync::MutexGuard;

use tidings::sim::{
    self,
    runner::{Knobs, conditions},
    scenario::{
        Link,
        network::{Network, NetworkChange},
        quantity::Share,
    },
};

use super::site::Site;

/// What a scenario says of it.
#[derive(Debug)]
pub(crate) struct Passage(Knobs);

impl Passage {
    /// What a network begins with. Losses are not drawn for here.
    pub(crate) fn new(site: &dyn Site, network: &Network) -> Passage {
        let network = Network { loss: Share::default(), ..network.clone() };
        if let Some(mut wires) = wires(site) {
            wires.conditions = conditions(&network);
        }
        Passage(Knobs::new(&network))
    }

    /// Packets pass in another way from now on. Returns what had no effect until then, as all that follow.
    pub(crate) fn change(&mut self, site: &dyn Site, change: &NetworkChange, what: String) -> Option<String> {
        self.0.change(&mut *wires(site)?, &change.but_for_loss(), what)
    }

    /// They pass in another way from some to others.
    pub(crate) fn link(&mut self, site: &dyn Site, link: &Link, what: String) -> Option<String> {
        let link = Link { loss: Share::default(), rate: None, ..link.clone() };
        self.0.link(&mut *wires(site)?, &link, what)
    }

    /// The end of the scenario.
    pub(crate) fn end(&self, site: &dyn Site) -> Option<String> {
        if site.wires()?.are_well() {
            self.0.end(&*wires(site)?)
        } else {
            Some("the wires did not pass packets on until the end".to_owned())
        }
    }

    /// Whether more is wrong than agents promise to bear.
    pub(crate) fn is_ill(site: &dyn Site) -> bool {
        wires(site).is_some_and(|network| network.faults().next().is_some())
    }
}

fn wires(site: &dyn Site) -> Option<MutexGuard<'_, sim::Network>> {
    Some(site.wires()?.network())
}
