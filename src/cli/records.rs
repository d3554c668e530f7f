//! `tidings service NAME --dns`: the records that are handed out now, as DNS gives them, and of which instances they are; and which have none, and why.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Message, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    Exit, Failure,
    client::Api,
    output,
    table::{self, Handed},
    view::{self, Items},
};
use crate::model::{ServiceName, domain::address_label};

/// How long an answer may take; it comes from memory.
const ANSWER: Duration = Duration::from_secs(5);

/// What an agent says of its DNS.
#[derive(Debug, Deserialize)]
struct Agent {
    domain: String,
    dns: SocketAddr,
}

pub(super) async fn show(api: &Api, name: &ServiceName, as_json: bool) -> Result<Exit, Failure> {
    let agent: Agent = api.call(Method::GET, "/v1/agent").await?.read()?;
    // A service that nobody has is a "no", with the API's words for it.
    let service = api.call(Method::GET, &format!("/v1/services/{name}")).await?;
    if as_json && !service.status.is_success() {
        return service.pass_on();
    }
    service.read::<view::Service>()?;
    let instances = api.list(&format!("/v1/instances?service={name}&status=any")).await?.read::<Items<view::Instance>>()?.items;
    let server = reached(agent.dns);
    let mut records = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV] {
        let question = format!("{name}.service.{}.", agent.domain);
        let answer = ask(server, &question, kind).await;
        let mut answer = answer.map_err(|error| Failure::no_agent(format!("DNS at {server} does not answer: {error}")))?;
        // Their order is another one in each answer.
        answer.sort_by_key(|record| record.data.to_string());
        records.extend(answer);
    }
    let rows = rows(&records, &instances);
    if as_json {
        output::show(&format!("{:#}\n", json!({"items": rows})))?;
    } else {
        output::show(&table::whole(&rows, Timestamp::now()))?;
    }
    Ok(if records.is_empty() { Exit::No } else { Exit::Done })
}

/// Where DNS on all addresses of this host is reached.
fn reached(dns: SocketAddr) -> SocketAddr {
    if dns.ip().is_unspecified() { SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), dns.port()) } else { dns }
}

/// Over TCP, where answers have all that there is.
async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> io::Result<Vec<Record>> {
    fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).map_err(invalid)?, kind));
    let query = message.to_vec().map_err(invalid)?;
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let length = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        stream.write_all(&[&length.to_be_bytes()[..], &query].concat()).await?;
        let mut answer = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let octets = timeout(ANSWER, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let answer = Message::from_vec(&octets).map_err(invalid)?;
    match answer.metadata.response_code {
        ResponseCode::NoError => Ok(answer.answers),
        code => Err(io::Error::other(code.to_string())),
    }
}

/// A row for each record with the instances that it is of, and one for each instance that has none.
fn rows(records: &[Record], instances: &[view::Instance]) -> Vec<Handed> {
    let mut rows: Vec<Handed> = records
        .iter()
        .map(|record| {
            let of: Vec<&view::Instance> = instances.iter().filter(|instance| is_of(record, instance)).collect();
            Handed {
                name: record.name.to_ascii().trim_end_matches('.').to_owned(),
                kind: record.record_type().to_string(),
                ttl: Some(record.ttl),
                data: record.data.to_string().trim_end_matches('.').to_owned(),
                instances: of.iter().map(|instance| place(instance)).collect(),
                why: of.iter().map(|instance| why(record, instance)).next().unwrap_or_default(),
                held_back: false,
            }
        })
        .collect();
    rows.extend(instances.iter().filter_map(|instance| {
        let held_back = instance.held_back.as_ref()?;
        Some(Handed {
            name: String::new(),
            kind: String::new(),
            ttl: None,
            data: String::new(),
            instances: vec![place(instance)],
            why: held_back.detail.clone(),
            held_back: true,
        })
    }));
    rows
}

fn place(instance: &view::Instance) -> String {
    format!("{} on {}", instance.id, instance.node.as_deref().unwrap_or(&instance.node_id))
}

fn is_of(record: &Record, instance: &view::Instance) -> bool {
    let has = |address: IpAddr| instance.held_back.is_none() && instance.addresses.contains(&address);
    match &record.data {
        RData::A(address) => has(address.0.into()),
        RData::AAAA(address) => has(address.0.into()),
        // The target's first label is the address.
        RData::SRV(srv) => {
            let label = srv.target.iter().next().map(String::from_utf8_lossy).unwrap_or_default();
            srv.port == instance.port && instance.addresses.iter().any(|ip| has(*ip) && address_label(*ip).eq_ignore_ascii_case(&label))
        }
        _ => false,
    }
}

/// Why it is handed out as it is.
fn why(record: &Record, instance: &view::Instance) -> String {
    match &record.data {
        RData::SRV(srv) if srv.weight != instance.weight => {
            format!("{}: a share of {} in place of {}", instance.status, srv.weight, instance.weight)
        }
        _ => instance.status.clone(),
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, SRV};

    use super::*;

    #[test]
    fn each_record_is_shown_with_its_instances_and_who_has_none_with_the_reason() {
        let instance = |id: &str, address: &str, status: &str, why: Option<&str>| view::Instance {
            node: Some("alpha".into()),
            node_id: String::new(),
            id: id.into(),
            service: "web".into(),
            addresses: vec![address.parse().unwrap()],
            port: 80,
            protocol: "tcp".into(),
            tags: vec![],
            weight: 20,
            status: status.into(),
            since: String::new(),
            held_back: why.map(|detail| view::HeldBack { detail: detail.into() }),
        };
        let instances = [
            instance("a", "10.0.0.5", "passing", None),
            instance("b", "10.0.0.5", "passing", None),
            instance("c", "10.0.0.6", "warning", None),
            instance("d", "10.0.0.7", "critical", Some("its check is critical")),
        ];
        let name = Name::from_ascii("web.service.x.").unwrap();
        let record = |data| Record::from_rdata(name.clone(), 0, data);
        let target = Name::from_ascii("0A000006.addr.x.").unwrap();
        let records = [record(RData::A(A::new(10, 0, 0, 5))), record(RData::SRV(SRV::new(1, 5, 80, target)))];
        let shown: Vec<_> = rows(&records, &instances).into_iter().map(|row| (row.data, row.instances.join(", "), row.why)).collect();
        let expected = [
            ("10.0.0.5", "a on alpha, b on alpha", "passing"),
            ("1 5 80 0A000006.addr.x", "c on alpha", "warning: a share of 5 in place of 20"),
            ("", "d on alpha", "its check is critical"),
        ];
        assert_eq!(shown, expected.map(|(data, of, why)| (data.into(), of.into(), why.into())));
    }

    #[test]
    fn on_all_addresses_it_is_reached_at_one() {
        assert_eq!(reached("0.0.0.0:8753".parse().unwrap()), "127.0.0.1:8753".parse().unwrap());
        assert_eq!(reached("10.0.0.1:53".parse().unwrap()), "10.0.0.1:53".parse().unwrap());
    }
}
