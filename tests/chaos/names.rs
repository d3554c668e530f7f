//! What is found by DNS.

use std::{io, str::FromStr as _, time::Duration};

use hickory_proto::{
    op::{Message, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{api, site::Host};

const DNS: u16 = 8753;
const PATIENCE: Duration = Duration::from_secs(5);

/// The ports of all instances of a service that are handed out, as an agent answers on its own host over TCP.
pub(crate) async fn ports(host: &dyn Host, service: &str) -> Result<Vec<u16>, String> {
    let name = Name::from_str(&format!("{service}.service.tidings.internal.")).map_err(|error| error.to_string())?;
    let mut query = Message::query();
    query.add_query(Query::query(name, RecordType::SRV));
    let query = query.to_vec().map_err(|error| error.to_string())?;
    let answer = timeout(PATIENCE, exchange(host, &query)).await.map_err(|_| "no answer".to_owned())?;
    let message = Message::from_vec(&answer.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        other => return Err(other.to_string()),
    }
    let ports = message.answers.iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(srv.port),
        _ => None,
    });
    Ok(ports.collect())
}

async fn exchange(host: &dyn Host, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = api::connect(host, DNS).await?;
    let length = (query.len() as u16).to_be_bytes();
    stream.write_all(&[&length, query].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
