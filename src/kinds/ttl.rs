//! A check that waits to be told.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{Field, Kind, Way};
use crate::fields::{Reading, scalar, schema};

/// Is critical when it was told nothing for so long.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Ttl {
    /// How long a heartbeat holds.
    #[serde(with = "scalar::duration")]
    #[schemars(schema_with = "duration")]
    ttl: Duration,
}

impl Kind for Ttl {
    const FIELDS: &'static [Field] = &[Field { name: "ttl", schema: schema::check_duration }];
    const TAKES: &'static str = "a duration";
    const WAY: Way<Self> = Way::Waits(|it| it.ttl);

    fn read(reading: &mut Reading<'_>) -> Option<Ttl> {
        let ttl = reading.required("ttl").and_then(|value| reading.duration("/ttl", value))?;
        Some(Ttl { ttl })
    }

    fn asked(&self) -> String {
        format!("{:?}", self.ttl)
    }

    #[cfg(test)]
    fn samples() -> Vec<serde_json::Value> {
        ["100ms", "99 ms", "10s", "24h", "10", "s"].map(Into::into).to_vec()
    }
}

fn duration(_: &mut SchemaGenerator) -> Schema {
    Schema::try_from(schema::duration("duration-text")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kinds::tests::flawed;

    #[test]
    fn a_ttl_is_a_duration() {
        flawed("ttl", json!({"ttl": "-1s"}), "/ttl", r#""10s""#);
        flawed("ttl", json!({"ttl": 15}), "/ttl", r#""10s""#);
    }
}
