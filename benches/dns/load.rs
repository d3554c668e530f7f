//! What dnsperf asks, and what it tells.

use std::{fmt::Write as _, fs, path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use super::{
    catalog::{Size, service},
    server::Server,
};

/// Queries that a run repeats.
const QUERIES: usize = 20_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    A,
    Srv,
    /// A, AAAA, SRV and a name that is not there, in turn.
    Mixed,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::A, Kind::Srv, Kind::Mixed];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Kind::A => "A, 3 addresses",
            Kind::Srv => "SRV, 3 instances",
            Kind::Mixed => "A, AAAA, SRV, NXDOMAIN",
        }
    }
}

/// Queries of one kind for the services of a catalog, drawn by a fixed rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) size: Size,
}

/// What a server did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) answered: u64,
    pub(crate) lost: u64,
    pub(crate) seconds: f64,
    pub(crate) processor: Duration,
}

impl Load {
    fn file(self) -> String {
        let mut file = String::new();
        for index in 0..QUERIES {
            // A multiplicative step visits all services in an order that is none (Knuth, TAOCP 3, 6.4).
            let name = service(index.wrapping_mul(2_654_435_761) % self.size.services);
            let (name, kind) = match (self.kind, index % 4) {
                (Kind::A, _) | (Kind::Mixed, 0) => (name, "A"),
                (Kind::Srv, _) | (Kind::Mixed, 1) => (name, "SRV"),
                (Kind::Mixed, 2) => (name, "AAAA"),
                (Kind::Mixed, _) => (format!("none-{name}"), "A"),
            };
            // Writing to a string can't fail.
            let _ = writeln!(file, "{name}.service.tidings.internal {kind}");
        }
        file
    }

    async fn dnsperf(self, server: &Server, folder: &Path, arguments: &[String]) -> Result<String, String> {
        let file = folder.join("queries");
        fs::write(&file, self.file()).map_err(|error| error.to_string())?;
        let mut command = Command::new("dnsperf");
        command
            .args(["-e", "-s", &server.address.ip().to_string(), "-p", &server.address.port().to_string(), "-d"])
            .arg(&file)
            .args(arguments);
        let output = command.stderr(Stdio::piped()).kill_on_drop(true).output().await;
        let output = output.map_err(|error| format!("can't run dnsperf (apt-get install dnsperf): {error}"))?;
        if !output.status.success() {
            return Err(format!("dnsperf ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) async fn as_fast_as_it_answers(self, server: &Server, folder: &Path, window: Duration) -> Result<Done, String> {
        let seconds = window.as_secs().to_string();
        let before = server.processor_time()?;
        let said = self.dnsperf(server, folder, &["-l", &seconds, "-c", "8", "-q", "200"].map(str::to_owned)).await?;
        let processor = server.processor_time()? - before;
        let figure = |label: &str| -> Result<f64, String> {
            let line = said
                .lines()
                .find_map(|line| line.trim().strip_prefix(label))
                .ok_or_else(|| format!("dnsperf does not tell {label}\n{said}"))?;
            line.split_whitespace().next().and_then(|text| text.parse().ok()).ok_or_else(|| format!("no number: {line}"))
        };
        let (answered, lost) = (figure("Queries completed:")? as u64, figure("Queries lost:")? as u64);
        Ok(Done { answered, lost, seconds: figure("Run time (s):")?, processor })
    }

    /// How long each query took, in seconds, at so many a second.
    pub(crate) async fn at_rate(self, server: &Server, folder: &Path, window: Duration, rate: f64) -> Result<Vec<f64>, String> {
        let (seconds, rate) = (window.as_secs().to_string(), format!("{rate:.0}"));
        let said = self.dnsperf(server, folder, &["-v", "-l", &seconds, "-Q", &rate].map(str::to_owned)).await?;
        let times = said.lines().filter(|line| line.starts_with("> ")).filter_map(|line| line.split_whitespace().last()?.parse().ok());
        Ok(times.collect())
    }
}
