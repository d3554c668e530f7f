//! One wire: two devices, and nothing between them yet.

use std::io;

use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use crate::netns::host::Host;

/// Frames that a device holds until they are read. It loses what is beyond.
const QUEUE: u32 = 10_000;

/// The two ends of a wire.
pub(crate) struct Line {
    /// Where the host sends, and receives.
    pub(super) host: SyncDevice,
    /// Where the switch does.
    pub(super) port: SyncDevice,
}

impl Line {
    /// Makes a device of this name on a host, and one on its switch.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn new((host, device): (&Host, &str), (switch, port): (&Host, &str)) -> Result<Line, String> {
        Ok(Line { host: tap(host, device)?, port: tap(switch, port)? })
    }
}

/// A device that sends to us and receives from us. It is gone when it is dropped.
pub(super) fn tap(host: &Host, name: &str) -> Result<SyncDevice, String> {
    let made = host.within(|| {
        let device = DeviceBuilder::new().name(name).layer(Layer::L2).inherit_enable_state().build_sync()?;
        device.set_nonblocking(true)?;
        Ok(device)
    });
    let device = made.map_err(|error: io::Error| format!("can't make the device {name}: {error}"))?;
    host.run(&format!("ip link set {name} txqueuelen {QUEUE}"))?;
    Ok(device)
}
