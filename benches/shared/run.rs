//! What all benches do around their measuring.

use std::{fs, process::ExitCode};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

/// Measures, where `cargo bench` asked for it, on one thread: what observes should leave the cores to what is observed. What is observed ends with what
/// holds it, however that ends.
pub(crate) fn measure(name: &str, asked_for: bool, work: impl Future<Output = Result<(), String>>) -> ExitCode {
    if !asked_for {
        eprintln!("nothing is measured without --bench: use cargo bench --bench {name}");
        return ExitCode::SUCCESS;
    }
    let done = runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string()).and_then(|runtime| {
        LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                done = work => done,
                ended = interrupted() => Err(ended),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How loaded the machine is, as three averages.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Ends when somebody wants this to end.
async fn interrupted() -> String {
    let listen = |kind| signal(kind).map_err(|error| format!("can't listen for signals: {error}"));
    let (mut interrupt, mut terminate) = match (listen(SignalKind::interrupt()), listen(SignalKind::terminate())) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    "ended early; what was started is stopped".to_owned()
}
