//! Follows what an agent shows: it is asked again whenever it has something else to tell.

use std::{rc::Rc, time::Duration};

use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use super::{api::Connection, board::Board, site::Host, view};

/// Until an agent that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Until one that has answered is asked again, for each host: all of them together are asked as often, however many they are.
const PACE: Duration = Duration::from_millis(3);

/// Follows the nodes that it shows, and finds out first who it is. Never ends.
pub(crate) async fn nodes(board: Rc<Board>, place: usize, host: Rc<dyn Host>) {
    let id = loop {
        if let Some(id) = who(&*host).await {
            break id;
        }
        sleep(PAUSE).await;
    };
    board.is(place, id);
    follow(&*host, "/v1/nodes?limit=10000", PACE * board.count(), |answer| board.show_nodes(place, answer.and_then(view::nodes))).await;
}

/// Follows the instances that it shows. Never ends.
pub(crate) async fn instances(board: Rc<Board>, place: usize, host: Rc<dyn Host>) {
    let path = "/v1/instances?status=any&limit=10000";
    follow(&*host, path, PACE * board.count(), |answer| board.show_instances(place, answer.and_then(view::instances))).await;
}

async fn who(host: &dyn Host) -> Option<tidings::model::NodeId> {
    let mut connection = Connection::open(host).await.ok()?;
    let answer = connection.ask(Method::GET, "/v1/agent", None, None).await.ok()?;
    let agent: Value = serde_json::from_slice(&answer.body).ok()?;
    agent["node_id"].as_str()?.parse().ok()
}

/// Before an agent says that it knows the cluster it may show a part of it, which is no wrong answer.
async fn is_ready(connection: &mut Connection) -> bool {
    let answer = connection.ask(Method::GET, "/health/ready", None, None).await;
    answer.is_ok_and(|answer| answer.status == StatusCode::OK)
}

/// Nothing is told where it does not answer, or says that it does not know the cluster yet.
async fn follow(host: &dyn Host, path: &str, pace: Duration, tell: impl Fn(Option<&Value>)) {
    loop {
        if let Ok(mut connection) = Connection::open(host).await {
            if !is_ready(&mut connection).await {
                sleep(PAUSE).await;
                continue;
            }
            let mut etag: Option<String> = None;
            while let Ok(answer) = connection.ask(Method::GET, path, etag.as_deref(), None).await {
                match answer.status {
                    StatusCode::OK => {
                        tell(serde_json::from_slice(&answer.body).ok().as_ref());
                        etag = answer.etag;
                        sleep(pace).await;
                    }
                    StatusCode::NOT_MODIFIED => {}
                    _ => {
                        tell(None);
                        etag = None;
                        sleep(PAUSE).await;
                    }
                }
            }
        }
        tell(None);
        sleep(PAUSE).await;
    }
}
