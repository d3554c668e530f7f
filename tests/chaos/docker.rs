//! Hosts that are containers, as users have them: of the project's own image and `docker-compose.yml`, made by docker-compose.

mod cable;
mod compose;
mod container;
mod engine;
mod janitor;
mod site;

use std::{
    cell::{Cell, RefCell},
    env, fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use axum::http::Method;
use tokio::process::Command;

use super::{agent, site::Site};
use janitor::Janitor;

/// The programs that it takes beside the engine.
const TOOLS: [&str; 8] = ["docker", "docker-compose", "nft", "bridge", "tc", "nsenter", "setsid", "ip"];
/// The most containers of a site, whose network has room for 253 addresses.
pub(crate) const MOST: usize = 100;

/// An image of the program, and all that was made of it. When this is dropped it is all taken away.
#[derive(Debug)]
pub(crate) struct Docker {
    /// What all names of this run begin with.
    run: String,
    image: String,
    sites: Cell<usize>,
    /// Those who take sites away that are not needed any more.
    at_work: Rc<RefCell<Vec<Janitor>>>,
    /// Who takes the image away.
    janitor: Option<Janitor>,
}

impl Docker {
    /// Makes the image.
    ///
    /// # Errors
    /// As Docker says; for people.
    pub(crate) async fn open() -> Result<Docker, String> {
        let run = format!("tidings-chaos-{}", std::process::id());
        let (image, base) = (format!("{run}/agent"), format!("{run}/base"));
        let janitor = Janitor::hire(&["images", &image, &base, &script("remove-images").display().to_string()])?;
        let docker = Docker { run, image, sites: Cell::default(), at_work: Rc::default(), janitor: Some(janitor) };
        docker.build(&agent::program(), &base).await?;
        Ok(docker)
    }

    /// As `packaging/docker/try` does: without a registry, and with nothing but the program in it where it is static.
    async fn build(&self, program: &Path, base: &str) -> Result<(), String> {
        let runtime = if is_static(program).await { "scratch" } else { base };
        let janitor = self.janitor.as_ref().expect("it is there until the end");
        janitor.wait_for(Command::new(script("base-images")).arg(base).arg(program)).await?;
        let mut build = Command::new(script("image"));
        build.arg(program).args([&self.image, runtime]).env("BUILD_IMAGE", base).env("DOCKER_BUILDKIT", "0");
        janitor.wait_for(&mut build).await
    }

    /// So many containers that are made and not started, on a network of their own.
    ///
    /// # Errors
    /// As docker-compose or the system says; for people.
    pub(crate) async fn site(&self, count: usize) -> Result<Box<dyn Site>, String> {
        let number = self.sites.get();
        self.sites.set(number + 1);
        Ok(Box::new(site::Containers::new(self, number, count).await?))
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.at_work.take().into_iter().for_each(Janitor::finish);
        self.janitor.take().into_iter().for_each(Janitor::finish);
    }
}

/// Why there can be no containers here, if that is so.
pub(crate) async fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can open sockets in the networks of containers".to_owned());
    }
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !folders.iter().any(|folder| folder.join(tool).exists())).collect();
    if !missing.is_empty() {
        return Some(format!("there is no {} on this machine", missing.join(", no ")));
    }
    engine::ask(Method::GET, "/version", None).await.err()
}

/// Whether a program needs no libraries.
async fn is_static(program: &Path) -> bool {
    let Ok(output) = Command::new("ldd").arg(program).output().await else { return false };
    let said = [output.stdout, output.stderr].concat();
    ["statically linked", "not a dynamic"].iter().any(|text| String::from_utf8_lossy(&said).contains(text))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/docker").join(name)
}

/// A file with this text, and no other content.
fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
