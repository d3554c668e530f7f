//! The commands that write.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Exit, Failure, Target, client::Api, output};
use crate::model::InstanceId;

/// Octets of the largest file that is read: far beyond what an agent takes, which says so itself.
const FILE_OCTETS: u64 = 1024 * 1024;

pub(super) const REGISTER_EXAMPLE: &str = "\
Example of a file (only id, service and port are needed; addresses left out are those of the node):
  {\"id\": \"web-1\", \"service\": \"web\", \"port\": 8080, \"addresses\": [\"10.0.0.5\"], \"protocol\": \"tcp\",
   \"tags\": [\"v1\"], \"meta\": {\"git\": \"a1b2c3\"}, \"weight\": 10}";

/// `tidings register`
#[derive(Debug, Args)]
pub(super) struct Register {
    /// JSON file that defines the instance; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn register(api: Api, args: &Register) -> Result<Exit, Failure> {
    let (shown, definition) = read(&args.file)?;
    let id = id_of(&definition).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let answer = api.put(&path(&id), definition).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done().map_err(|failure| Failure { message: format!("{shown}: {}", failure.message), ..failure })?;
    output::show(&match answer.status {
        StatusCode::CREATED => format!("{id} is registered\n"),
        _ => format!("{id} was registered already; it is now as {shown} says\n"),
    })?;
    Ok(Exit::Done)
}

/// `tidings deregister`
#[derive(Debug, Args)]
pub(super) struct Deregister {
    /// Id of the instance
    #[arg(value_name = "ID")]
    id: InstanceId,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn deregister(api: Api, args: &Deregister) -> Result<Exit, Failure> {
    let answer = api.call(Method::DELETE, &path(&args.id)).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&format!("{} is deregistered\n", args.id))?;
    Ok(Exit::Done)
}

/// `tidings leave`
#[derive(Debug, Args)]
pub(super) struct Leave {
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn leave(api: Api, args: &Leave) -> Result<Exit, Failure> {
    let answer = api.call(Method::POST, "/v1/agent/leave").await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show("the agent leaves its cluster and stops\n")?;
    Ok(Exit::Done)
}

/// Where an instance of the agent is written. Nothing in an id needs escaping.
fn path(id: &InstanceId) -> String {
    format!("/v1/agent/instances/{id}")
}

/// The octets of a file, and what to call it.
fn read(file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let mut octets = Vec::new();
    let mut up_to_limit = |source: &mut dyn Read| source.take(FILE_OCTETS + 1).read_to_end(&mut octets);
    let (shown, result) = match file.to_str() {
        Some("-") => ("standard input".to_owned(), up_to_limit(&mut io::stdin().lock())),
        _ => (file.display().to_string(), File::open(file).and_then(|mut file| up_to_limit(&mut file))),
    };
    result.map_err(|error| Failure::usage(format!("can't read {shown}: {error}")))?;
    if octets.len() as u64 > FILE_OCTETS {
        return Err(Failure::usage(format!("{shown} is larger than {FILE_OCTETS} octets")));
    }
    Ok((shown, octets))
}

/// The id that a definition names. All else is for the agent to judge.
fn id_of(definition: &[u8]) -> Result<InstanceId, String> {
    let value: Value = serde_json::from_slice(definition).map_err(|error| format!("no JSON: {error}"))?;
    let Value::Object(fields) = value else {
        return Err("one object that defines an instance is expected".to_owned());
    };
    match fields.get("id") {
        Some(Value::String(id)) => InstanceId::new(id).map_err(|error| format!("/id: {error}")),
        Some(_) => Err(r#"/id: it is a text, as in "id": "web-1""#.to_owned()),
        None => Err(r#"/id is missing; name the instance, as in "id": "web-1""#.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_names_its_id() {
        assert_eq!(id_of(br#"{"id": "web-1", "service": "web", "port": 80}"#).unwrap().as_str(), "web-1");
        let check = |text: &str, says: &str| {
            let error = id_of(text.as_bytes()).expect_err(text);
            assert!(error.contains(says), "{error}");
        };
        check(r#"{"service": "web"}"#, "/id is missing");
        check(r#"{"id": 7}"#, "/id: it is a text");
        check(r#"{"id": "a/b"}"#, "is not an instance id");
        check("[]", "one object");
        check("{\n\"id\": }", "line 2");
    }
}
