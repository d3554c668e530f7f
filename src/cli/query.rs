//! The commands that read.

use clap::Args;
use form_urlencoded::Serializer;
use http::Method;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{
    Exit, Failure, Target,
    client::{Answer, Api},
    output, table,
    view::{self, Items},
};
use crate::model::ServiceName;

/// `tidings members`
#[derive(Debug, Args)]
pub(super) struct Members {
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn members(api: Api, args: &Members) -> Result<Exit, Failure> {
    let answer = api.list("/v1/nodes").await?;
    list(&answer, args.target.json, "the agent knows of no node yet", |nodes| table::nodes(nodes, Timestamp::now()))
}

/// `tidings checks`
#[derive(Debug, Args)]
pub(super) struct Checks {
    /// Only those in this status
    #[arg(long, value_name = "STATUS", value_parser = ["passing", "warning", "critical"])]
    status: Option<String>,
    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn checks(api: Api, args: &Checks) -> Result<Exit, Failure> {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("status", args.status.as_deref()), ("service", args.service.as_ref().map(ServiceName::as_str))] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let answer = api.call(Method::GET, &format!("/v1/checks?{}", query.finish())).await?;
    list(&answer, args.target.json, "no such check anywhere", table::checks)
}

/// `tidings services`
#[derive(Debug, Args)]
pub(super) struct Services {
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn services(api: Api, args: &Services) -> Result<Exit, Failure> {
    let answer = api.list("/v1/services").await?;
    list(&answer, args.target.json, "no service is registered anywhere; register one with `tidings register`", table::services)
}

/// `tidings service`
#[derive(Debug, Args)]
pub(super) struct Service {
    /// Name of the service
    #[arg(value_name = "NAME")]
    name: ServiceName,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn service(api: Api, args: &Service) -> Result<Exit, Failure> {
    let answer = api.call(Method::GET, &format!("/v1/services/{}", args.name)).await?;
    if args.target.json {
        return answer.pass_on();
    }
    let service: view::Service = answer.read()?;
    let all = api.list(&format!("/v1/instances?service={}&status=any", args.name)).await?;
    let Items { items, .. } = all.read()?;
    output::show(&format!("{}\n{}", table::services(&[service]), table::instances(&items, Timestamp::now())))?;
    Ok(Exit::Done)
}

pub(super) const INSTANCES_EXAMPLES: &str = "\
Examples:
  tidings instances --service web --tag v2
  tidings instances --meta rack:r7 --status any";

/// `tidings instances`
#[derive(Debug, Args)]
pub(super) struct Instances {
    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only those with this tag; several must all match
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only those with this pair of metadata; several must all match
    #[arg(long, value_name = "KEY:VALUE")]
    meta: Vec<String>,
    /// What to show instead of those that are handed out now: `any` for all, with why some are held back
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn instances(api: Api, args: &Instances) -> Result<Exit, Failure> {
    let answer = api.list(&args.path()).await?;
    let hint = match args.status {
        Some(_) => "no instance matches",
        None => "no instance that matches is handed out now; --status any shows those that are held back, too",
    };
    list(&answer, args.target.json, hint, |items| table::instances(items, Timestamp::now()))
}

impl Instances {
    fn path(&self) -> String {
        let one = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let many = |name, values: &[String]| values.iter().map(|value| (name, value.clone())).collect::<Vec<_>>();
        let mut query = Serializer::new(String::new());
        query.extend_pairs(one("service", &self.service).into_iter().chain(one("status", &self.status)));
        query.extend_pairs(many("tag", &self.tag).into_iter().chain(many("meta", &self.meta)));
        format!("/v1/instances?{}", query.finish()).trim_end_matches('?').to_owned()
    }
}

/// Shows a collection. An empty one is the answer "no".
fn list<T: DeserializeOwned>(answer: &Answer, json: bool, none: &str, render: impl Fn(&[T]) -> String) -> Result<Exit, Failure> {
    if json {
        let exit = answer.pass_on()?;
        let empty = exit == Exit::Done && answer.read::<Items<serde::de::IgnoredAny>>()?.items.is_empty();
        return Ok(if empty { Exit::No } else { exit });
    }
    let Items { items, .. } = answer.read()?;
    if items.is_empty() {
        output::remark(none);
        return Ok(Exit::No);
    }
    output::show(&render(&items))?;
    Ok(Exit::Done)
}
