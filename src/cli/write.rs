//! The commands that write.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Exit, Failure, Target, client::Api, output};
use crate::model::{CheckId, InstanceId, NodeName};

/// Octets of the largest file that is read: far beyond what an agent takes, which says so itself.
const FILE_OCTETS: u64 = 1024 * 1024;

pub(super) const REGISTER_EXAMPLE: &str = "\
Example of a file (only id, service and port are needed; addresses left out are those of the node):
  {\"id\": \"web-1\", \"service\": \"web\", \"port\": 8080, \"addresses\": [\"10.0.0.5\"], \"protocol\": \"tcp\",
   \"tags\": [\"v1\"], \"meta\": {\"git\": \"a1b2c3\"}, \"weight\": 10, \"deregister_after\": \"1h\",
   \"checks\": [{\"id\": \"alive\", \"http\": \"http://10.0.0.5:8080/health\", \"interval\": \"5s\", \"timeout\": \"1s\", \"fall\": 3},
              {\"id\": \"port\", \"tcp\": \"10.0.0.5:8080\", \"interval\": \"5s\"}, {\"id\": \"beat\", \"ttl\": \"15s\"}]}";

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

/// `tidings heartbeat`
#[derive(Debug, Args)]
pub(super) struct Heartbeat {
    /// Id of the instance; where no other id follows, that of a check of the node
    #[arg(value_name = "ID")]
    id: String,
    /// Id of the instance's check; one with a ttl
    #[arg(value_name = "CHECK")]
    check: Option<String>,
    /// How it is
    #[arg(long, value_name = "STATUS", default_value = "passing", value_parser = ["passing", "warning", "critical"])]
    status: String,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn heartbeat(api: Api, args: &Heartbeat) -> Result<Exit, Failure> {
    let id_of_check = |text: &str| CheckId::new(text).map_err(|error| Failure::usage(format!("{text:?} is no check: {error}")));
    let id = &args.id;
    let (path, what) = match &args.check {
        Some(check) => {
            let instance = InstanceId::new(id).map_err(|error| Failure::usage(format!("{id:?} is no instance: {error}")))?;
            (format!("{}/checks/{}/status", path(&instance), id_of_check(check)?), format!("{check} of {id}"))
        }
        None => (format!("/v1/agent/checks/{}/status", id_of_check(id)?), format!("{id} of this node")),
    };
    let answer = api.put(&path, json!({"status": args.status}).to_string().into_bytes()).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&format!("{what} is {}\n", args.status))?;
    Ok(Exit::Done)
}

/// `tidings maintenance`
#[derive(Debug, Args)]
pub(super) struct Maintenance {
    /// Whether to take it out of discovery, or to let it back in
    #[arg(value_name = "on|off", value_parser = ["on", "off"])]
    on: String,
    /// Id of the instance; the whole node where none is named
    #[arg(value_name = "ID")]
    id: Option<InstanceId>,
    /// Why, for others to read
    #[arg(long, value_name = "TEXT", required_if_eq("on", "on"))]
    reason: Option<String>,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn maintenance(api: Api, args: &Maintenance) -> Result<Exit, Failure> {
    let (path, what) = match &args.id {
        Some(id) => (format!("{}/maintenance", path(id)), id.to_string()),
        None => ("/v1/agent/maintenance".to_owned(), "this node".to_owned()),
    };
    let answer = match args.on.as_str() {
        "on" => api.put(&path, json!({"reason": args.reason}).to_string().into_bytes()).await?,
        _ => api.call(Method::DELETE, &path).await?,
    };
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&match args.on.as_str() {
        "on" => format!("{what} is in maintenance: it is not handed out\n"),
        _ => format!("{what} is in maintenance no more\n"),
    })?;
    Ok(Exit::Done)
}

/// `tidings forget`
#[derive(Debug, Args)]
pub(super) struct Forget {
    /// Name of the node; one that is down, or left
    #[arg(value_name = "NODE")]
    node: NodeName,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn forget(api: Api, args: &Forget) -> Result<Exit, Failure> {
    let answer = api.call(Method::DELETE, &format!("/v1/nodes/{}", args.node)).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&format!("{} is forgotten\n", args.node))?;
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
