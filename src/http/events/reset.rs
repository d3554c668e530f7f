//! The event that a stream begins with: everything that it will tell of. It is written a chunk at a time, so that a
//! large cluster takes no more memory than a chunk for each client, and the snapshot that they share.

use std::sync::Arc;

use super::{Filter, Kind, json};
use crate::{
    catalog::{Place, Snapshot},
    http::representation::{InstanceView, NodeView},
    model::NodeId,
};

/// Octets after which a chunk ends.
const CHUNK_OCTETS: usize = 32 * 1024;

/// How far the writing of a snapshot is.
pub(super) struct Reset {
    snapshot: Arc<Snapshot>,
    stage: Stage,
}

/// What is to be written next.
enum Stage {
    Head,
    /// The nodes after this one.
    Nodes(Option<NodeId>),
    /// The instances after this one.
    Instances(Option<Place>),
    Tail,
    Nothing,
}

impl Reset {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Reset {
        Reset { snapshot, stage: Stage::Head }
    }

    /// The number of the last change that is in it.
    pub(super) fn last_event(&self) -> u64 {
        self.snapshot.last_event
    }

    /// The next part of the text; `None` at its end. The data is one JSON value on several lines, which a client puts
    /// together again.
    pub(super) fn chunk(&mut self, filter: &Filter, id: &str) -> Option<String> {
        let mut out = String::new();
        while out.len() < CHUNK_OCTETS && !matches!(self.stage, Stage::Nothing) {
            self.step(filter, id, &mut out);
        }
        (!out.is_empty()).then_some(out)
    }

    fn step(&mut self, filter: &Filter, id: &str, out: &mut String) {
        match &mut self.stage {
            Stage::Head => {
                out.extend(["event: reset\nid: ", id, "\n"]);
                line(out, "{\"ready\":", if self.snapshot.ready { "true" } else { "false" });
                self.stage = begin(filter, Kind::Node, out, "nodes", Stage::Nodes(None))
                    .or_else(|| begin(filter, Kind::Instance, out, "instances", Stage::Instances(None)))
                    .unwrap_or(Stage::Tail);
            }
            Stage::Nodes(last) => match self.snapshot.nodes_after(*last).next() {
                Some(entry) => {
                    line(out, if last.is_some() { "," } else { "" }, &json(&NodeView::alone(entry)));
                    *last = Some(entry.node.id);
                }
                None => {
                    line(out, "]", "");
                    self.stage = begin(filter, Kind::Instance, out, "instances", Stage::Instances(None)).unwrap_or(Stage::Tail);
                }
            },
            Stage::Instances(last) => match self.snapshot.instances_after(filter.service.as_ref(), last.clone()).next() {
                Some(entry) => {
                    line(out, if last.is_some() { "," } else { "" }, &json(&InstanceView::new(&self.snapshot, entry)));
                    *last = Some((entry.node, entry.instance.id.clone()));
                }
                None => {
                    line(out, "]", "");
                    self.stage = Stage::Tail;
                }
            },
            Stage::Tail => {
                line(out, "}", "\n");
                self.stage = Stage::Nothing;
            }
            Stage::Nothing => {}
        }
    }
}

/// Begins a list, where things of its kind are told of.
fn begin(filter: &Filter, kind: Kind, out: &mut String, field: &str, stage: Stage) -> Option<Stage> {
    filter.has(kind).then(|| {
        line(out, ",", &format!("{field:?}:["));
        stage
    })
}

fn line(out: &mut String, one: &str, other: &str) {
    out.extend(["data: ", one, other, "\n"]);
}
