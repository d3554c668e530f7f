//! What a node keeps of its own instances and tells nobody: checks, whose settings may hold secrets.

use std::time::Duration;

use bincode::{Decode, Encode};

use super::{WireError, body, message};
use crate::model::{Check, CheckId, Instance, Registration, Status, check::Probe, record::Body};

#[derive(Encode, Decode)]
struct LocalBody {
    checks: Vec<CheckBody>,
    deregister_after: Option<Duration>,
    file: Option<String>,
}

#[derive(Encode, Decode)]
struct CheckBody {
    id: String,
    kind: String,
    settings: String,
    ttl: Option<Duration>,
    interval: Duration,
    timeout: Duration,
    rise: u16,
    fall: u16,
    initial: u8,
}

/// The body of what is kept beside an instance.
pub fn encode(registration: &Registration) -> Body {
    let checks = registration.checks.iter().map(CheckBody::from).collect();
    Body::from(message::encode(&LocalBody { checks, deregister_after: registration.deregister_after, file: registration.file.clone() }))
}

/// How many octets a registration takes at most: the larger of what everyone is told and what is kept beside it.
pub fn octets(registration: &Registration) -> usize {
    encode(registration).len().max(body::encode_instance(&registration.instance).len())
}

/// Reads it back.
///
/// # Errors
/// [`WireError::Malformed`] when it is unreadable.
pub fn decode(instance: Instance, body: &[u8]) -> Result<Registration, WireError> {
    let local: LocalBody = message::decode(body)?;
    let checks = local.checks.into_iter().map(Check::try_from).collect::<Result<_, _>>()?;
    Ok(Registration { instance, checks, deregister_after: local.deregister_after, file: local.file })
}

impl From<&Check> for CheckBody {
    fn from(check: &Check) -> CheckBody {
        let Probe { kind, settings, ttl } = check.probe.clone();
        let Check { id, interval, timeout, rise, fall, initial, probe: _ } = check;
        let (interval, timeout, rise, fall) = (*interval, *timeout, *rise, *fall);
        CheckBody { id: id.to_string(), kind, settings, ttl, interval, timeout, rise, fall, initial: *initial as u8 }
    }
}

impl TryFrom<CheckBody> for Check {
    type Error = WireError;
    fn try_from(body: CheckBody) -> Result<Check, WireError> {
        let statuses = [Status::Passing, Status::Warning, Status::Critical];
        Ok(Check {
            id: CheckId::new(&body.id).map_err(|_| WireError::Malformed)?,
            probe: Probe { kind: body.kind, settings: body.settings, ttl: body.ttl },
            interval: body.interval,
            timeout: body.timeout,
            rise: body.rise,
            fall: body.fall,
            initial: *statuses.get(usize::from(body.initial)).ok_or(WireError::Malformed)?,
        })
    }
}
