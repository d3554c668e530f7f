//! The commands that read.

use clap::Args;
use form_urlencoded::Serializer;
use http::Method;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{
    Exit, Failure, Target,
    client::Api,
    output, records,
    table::{self, Row},
    view::{self, Items},
    watch,
};
use crate::model::ServiceName;

/// How to read.
#[derive(Debug, Args)]
pub(super) struct Reading {
    #[command(flatten)]
    pub(super) target: Target,
    /// Go on and print what changes, each time it does, until interrupted; with --json all of it, in a line
    #[arg(long)]
    watch: bool,
}

/// `tidings members`
#[derive(Debug, Args)]
pub(super) struct Members {
    #[command(flatten)]
    pub(super) reading: Reading,
}

pub(super) async fn members(api: Api, args: &Members) -> Result<Exit, Failure> {
    list::<view::Node>(&api, "/v1/nodes", &args.reading, "the agent knows of no node yet").await
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
    pub(super) reading: Reading,
}

pub(super) async fn checks(api: Api, args: &Checks) -> Result<Exit, Failure> {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("status", args.status.as_deref()), ("service", args.service.as_ref().map(ServiceName::as_str))] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    list::<view::Check>(&api, &format!("/v1/checks?{}", query.finish()), &args.reading, "no such check anywhere").await
}

/// `tidings ready`
#[derive(Debug, Args)]
pub(super) struct Ready {
    #[command(flatten)]
    pub(super) target: Target,
}

pub(super) async fn ready(api: Api, args: &Ready) -> Result<Exit, Failure> {
    let answer = api.call(Method::GET, "/health/ready").await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show("ready\n")?;
    Ok(Exit::Done)
}

/// `tidings services`
#[derive(Debug, Args)]
pub(super) struct Services {
    #[command(flatten)]
    pub(super) reading: Reading,
}

pub(super) async fn services(api: Api, args: &Services) -> Result<Exit, Failure> {
    let none = "no service is registered anywhere; register one with `tidings register`";
    list::<view::Service>(&api, "/v1/services", &args.reading, none).await
}

/// `tidings service`
#[derive(Debug, Args)]
pub(super) struct Service {
    /// Name of the service
    #[arg(value_name = "NAME")]
    name: ServiceName,
    /// Show the records that DNS hands out now, of which instances they are, and why others have none
    #[arg(long, conflicts_with = "watch")]
    dns: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
}

pub(super) async fn service(api: Api, args: &Service) -> Result<Exit, Failure> {
    if args.dns {
        return records::show(&api, &args.name, args.reading.target.json).await;
    }
    let path = format!("/v1/services/{}", args.name);
    let instances = format!("/v1/instances?service={}&status=any", args.name);
    match (args.reading.watch, args.reading.target.json) {
        (true, true) => return watch::json_of(&api, &path, &instances).await,
        (true, false) => {
            let none = format!("no instance of {} is registered anywhere yet", args.name);
            return watch::table::<view::Instance>(&api, &instances, &none).await;
        }
        (false, true) => return api.call(Method::GET, &path).await?.pass_on(),
        (false, false) => {}
    }
    let service: view::Service = api.call(Method::GET, &path).await?.read()?;
    let Items { items, .. } = api.list(&instances).await?.read::<Items<view::Instance>>()?;
    let now = Timestamp::now();
    output::show(&format!("{}\n{}", table::whole(&[service], now), table::whole(&items, now)))?;
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
    pub(super) reading: Reading,
}

pub(super) async fn instances(api: Api, args: &Instances) -> Result<Exit, Failure> {
    let hint = match args.status {
        Some(_) => "no instance matches",
        None => "no instance that matches is handed out now; --status any shows those that are held back, too",
    };
    list::<view::Instance>(&api, &args.path(), &args.reading, hint).await
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
async fn list<T: Row + DeserializeOwned>(api: &Api, path: &str, reading: &Reading, none: &str) -> Result<Exit, Failure> {
    match (reading.watch, reading.target.json) {
        (true, true) => return watch::json(api, path).await,
        (true, false) => return watch::table::<T>(api, path, none).await,
        _ => {}
    }
    let answer = api.list(path).await?;
    if reading.target.json {
        let exit = answer.pass_on()?;
        let empty = exit == Exit::Done && answer.read::<Items<IgnoredAny>>()?.items.is_empty();
        return Ok(if empty { Exit::No } else { exit });
    }
    let items = answer.read::<Items<T>>()?.items;
    if items.is_empty() {
        output::remark(none);
        return Ok(Exit::No);
    }
    output::show(&table::whole(&items, Timestamp::now()))?;
    Ok(Exit::Done)
}
