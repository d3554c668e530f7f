//! The containers of a scenario, on a network of their own.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process,
    rc::Rc,
};

use tidings::sim::scenario::Nodes;
use tokio::process::Command;

use super::{
    super::{
        addresses::Addresses,
        nft,
        site::{Host, Site},
    },
    Docker,
    compose::{self, container, network},
    container::{Container, USER},
    janitor::Janitor,
    write,
};

/// So many networks of this size are tried: others may be in use.
const NETWORKS: usize = 256;

/// All containers. When this is dropped somebody begins to take them away.
#[derive(Debug)]
pub(super) struct Containers {
    table: String,
    subnet: String,
    containers: Vec<Rc<Container>>,
    hosts: Vec<Rc<dyn Host>>,
    addresses: Addresses,
    janitor: Option<Janitor>,
    at_work: Rc<RefCell<Vec<Janitor>>>,
}

impl Containers {
    /// So many containers, by docker-compose. `number` is that of no other site of the run.
    pub(super) async fn new(docker: &Docker, number: usize, count: usize) -> Result<Containers, String> {
        let project = format!("{}-{number}", docker.run);
        let table = project.replace('-', "_");
        let failed = |error: std::io::Error| format!("can't make a folder for containers: {error}");
        let folder = tempfile::Builder::new().prefix(&format!("{project}-")).tempdir().map_err(failed)?.keep();
        let janitor = Janitor::hire(&["site", &project, &table, &folder.display().to_string()])?;
        let mut site = Containers {
            table,
            subnet: String::new(),
            containers: Vec::new(),
            hosts: Vec::new(),
            addresses: Addresses::new(Ipv4Addr::UNSPECIFIED, 0),
            janitor: Some(janitor),
            at_work: Rc::clone(&docker.at_work),
        };
        (0..count).try_for_each(|place| make_folders(&folder, place)).map_err(failed)?;
        let bridge = format!("td{}-{number}", process::id());
        site.make(&project, &bridge, &docker.image, &folder, count).await?;
        if !Path::new("/sys/class/net").join(&bridge).exists() {
            return Err(format!("the engine is in another network than this machine: there is no {bridge} here"));
        }
        for place in 0..count {
            let folder = folder.join(compose::node(place));
            let it = Rc::new(Container::new(container(&project, place), network(&project), folder, site.addresses.of(place)));
            site.hosts.push(Rc::clone(&it) as Rc<dyn Host>);
            site.containers.push(it);
        }
        Ok(site)
    }

    /// Finds a network that nobody else has, and has docker-compose make what is to be in it.
    async fn make(&mut self, project: &str, bridge: &str, image: &str, folder: &Path, count: usize) -> Result<(), String> {
        let file = folder.join("docker-compose.json");
        let mut why = "all networks are in use".to_owned();
        for turn in 0..NETWORKS {
            let third = (process::id() as usize + turn) % NETWORKS;
            self.subnet = format!("10.78.{third}.0/24");
            let routes = Command::new("ip").args(["-4", "route", "show", "root", &self.subnet]).output().await;
            if routes.is_ok_and(|routes| !routes.stdout.is_empty()) {
                continue;
            }
            // The first one is the bridge's.
            self.addresses = Addresses::new(Ipv4Addr::new(10, 78, third as u8, 2), count);
            write(&file, &compose::file(project, bridge, &self.subnet, folder, count, &self.addresses))?;
            let mut up = Command::new("docker-compose");
            up.args(["--project-name", project, "--file"]).arg(&file).args(["up", "--no-start", "--no-build"]).env("TIDINGS_IMAGE", image);
            match self.janitor.as_ref().expect("it is there until the end").wait_for(&mut up).await {
                Ok(()) => return Ok(()),
                // Somebody was quicker.
                Err(said) if said.contains("overlaps") => why = said,
                Err(said) => return Err(said),
            }
        }
        Err(why)
    }
}

fn make_folders(folder: &Path, place: usize) -> std::io::Result<()> {
    let files: PathBuf = folder.join(compose::node(place));
    fs::create_dir_all(files.join("etc"))?;
    fs::create_dir(files.join("data"))?;
    chown(files.join("data"), Some(USER), Some(USER))
}

impl Site for Containers {
    fn host(&self, place: usize) -> &Rc<dyn Host> {
        &self.hosts[place]
    }

    fn address(&self, place: usize) -> IpAddr {
        self.addresses.of(place).into()
    }

    fn change_address(&mut self, place: usize) -> Result<(), String> {
        self.addresses.change(place);
        self.containers[place].move_to(self.addresses.of(place));
        Ok(())
    }

    fn take_address(&mut self, place: usize, of: usize) -> Result<(), String> {
        self.addresses.take(place, of);
        self.containers[place].move_to(self.addresses.of(place));
        Ok(())
    }

    fn unplug(&self, place: usize, out: bool) -> Result<(), String> {
        self.containers[place].unplug(out)
    }

    fn set_rate(&self, place: usize, octets: Option<u64>) -> Result<(), String> {
        self.containers[place].set_rate(octets)
    }

    fn between(&self, from: &Nodes, to: &Nodes) -> String {
        let addresses = |nodes: &Nodes| {
            // Who is off may have had the address that another one has now.
            let different: BTreeSet<String> = nodes.iter().map(|node| self.addresses.of(node).to_string()).collect();
            different.into_iter().collect::<Vec<_>>().join(", ")
        };
        format!("ip saddr {{ {} }} ip daddr {{ {} }}", addresses(from), addresses(to))
    }

    fn set_rules(&self, counters: &str, rules: &str) -> Result<(), String> {
        // All bridges of this machine pass by here, and this is only about the one.
        let ours = format!("ip saddr != {0} accept\nip daddr != {0} accept\n{rules}", self.subnet);
        nft::set_table(process::Command::new("nft"), &self.table, counters, &ours)
    }

    fn hits(&self) -> Result<BTreeMap<String, u64>, String> {
        nft::read_counters(process::Command::new("nft"), &self.table)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.at_work.borrow_mut().extend(self.janitor.take().map(Janitor::begin));
    }
}
