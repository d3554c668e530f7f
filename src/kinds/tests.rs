use serde_json::{Map, json};

use super::*;
use crate::{
    fields::Reading,
    model::{Status, instance::Flaw},
};

#[test]
fn what_a_kind_was_given_reads_as_the_same() {
    for kind in KINDS {
        let taken: Vec<Probe> = (kind.samples)().into_iter().filter_map(|value| read(kind, &json!({kind.name: value})).ok()).collect();
        assert!(!taken.is_empty(), "no sample is taken for {:?}", kind.name);
        for probe in taken {
            let again: Map<String, Value> = given(&probe).into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
            assert_eq!(read(kind, &again.into()).as_ref(), Ok(&probe));
            assert_eq!((probe.kind.as_str(), probe.ttl.is_some()), (kind.name, kind.waits));
            assert!(asked(&probe).len() > kind.name.len() + 1, "{:?} asks nothing", kind.name);
        }
    }
}

#[test]
fn what_asks_is_shown_without_what_may_be_secret() {
    let check = json!({"http": "https://web.internal/health", "headers": {"Authorization": "s3cret"}});
    let probe = read(&KINDS[0], &check).unwrap();
    assert_eq!(asked(&probe), "http https://web.internal/health");
    assert!(!format!("{probe:?}").contains("s3cret"), "{probe:?}");
    assert!(given(&probe).iter().any(|(field, value)| *field == "headers" && value["Authorization"] == "s3cret"));
}

#[tokio::test]
async fn what_can_not_be_read_is_critical_and_says_what_to_do() {
    for probe in [
        Probe { kind: "smoke-signals".into(), settings: "{}".into(), ttl: None },
        Probe { kind: KINDS[0].name.into(), settings: "no JSON".into(), ttl: None },
    ] {
        let finding = ask(&probe).ask(&Tools::default(), std::time::Duration::from_secs(1)).await;
        assert_eq!(finding.status, Status::Critical);
        assert!(finding.reason.contains(&format!("{:?}: register it anew", probe.kind)), "{finding:?}");
        assert_eq!(given(&probe), []);
    }
}

/// What a kind makes of a check, or of it and what it notes.
pub(super) fn read(kind: &Row, check: &Value) -> Result<Probe, Vec<Flaw>> {
    let mut reading = Reading::new(check, "a check", &[]).map_err(|flaw| vec![flaw])?;
    let probe = kind.read(&mut reading);
    let flaws = reading.into_flaws();
    probe.filter(|_| flaws.is_empty()).ok_or(flaws)
}

/// Expects a flaw of what a kind is given.
pub(super) fn flawed(kind: &str, check: Value, pointer: &str, says: &str) {
    let flaws = read(&KINDS[place(kind).unwrap()], &check).expect_err(pointer);
    assert!(flaws.iter().any(|flaw| flaw.pointer == pointer && flaw.detail.contains(says)), "{check}: {flaws:?}");
}
