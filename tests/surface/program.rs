//! The program's own tables, held against the feature files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tidings::{access, cli, config, definition, dns, http, sim::scenario};

use crate::{
    compare::{Kind, command, exactly, form, key, metric, route},
    mentions::Mentions,
    names,
};

/// Names that features use because the program must not have them.
const NO_ROUTES: &[(&str, &str)] = &[
    ("POST /v1/agent", "the wrong method"),
    ("PATCH /v1/nodes", "the wrong method"),
    ("DELETE /v1", "the wrong method"),
    ("GET /v1/nothing", "no such route"),
];
const NO_FLAGS: &[(&str, &str)] = &[("--jsno", "misspelt"), ("--nmae", "misspelt")];

const NO_KEYS: &[(&str, &str)] = &[("nmae", "misspelt")];
const NO_SCENARIO_KEYS: &[(&str, &str)] = &[("step.kil", "misspelt")];

/// The agents of the features' stories.
const AGENTS: &[&str] = &["alpha", "beta", "gamma"];

/// Every difference between what the program has and what the features name.
pub(crate) fn differences() -> Vec<String> {
    let mut mentions = Mentions::default();
    let mut whole = String::new();
    for file in files_of("features", "feature") {
        let text = fs::read_to_string(&file).expect("a feature can be read");
        // `{alpha.hex}` stands for the address of an agent.
        let filled = AGENTS.iter().fold(text.clone(), |text, agent| text.replace(&format!("{{{agent}.hex}}"), "7f000001"));
        mentions.read(&file.display().to_string(), &filled, "tidings.internal");
        whole.push_str(&text);
    }
    for file in files_of("simulations", "toml") {
        let text = fs::read_to_string(&file).expect("a scenario can be read");
        mentions.read_scenario(&file.display().to_string(), &text);
    }
    let mut program = cli::command();
    program.build();
    let routes: Vec<String> = http::ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let problems: Vec<String> = http::problem::PROBLEM_TYPES.iter().map(|problem| problem.uri().to_owned()).collect();
    let commands: Vec<String> = program.get_subcommands().flat_map(|command| commands_below("", command)).collect();
    let variables: Vec<String> = config::KEYS
        .iter()
        .map(|key| key.env.to_owned())
        .chain(cli::VARIABLES.map(|(name, _)| name.to_owned()))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let names: Vec<String> = dns::NAME_FORMS.iter().map(|form| (*form).to_owned()).collect();
    let flags = flags(&program);
    let metrics: Vec<String> = names::described().into_iter().map(|metric| metric.name).collect();
    [
        Kind { what: "route", has: &routes, named: &mentions.routes, absent: NO_ROUTES, covers: route },
        Kind { what: "problem type", has: &problems, named: &mentions.problems, absent: &[], covers: exactly },
        Kind { what: "command", has: &commands, named: &mentions.commands, absent: &[], covers: command },
        Kind { what: "flag", has: &flags, named: &mentions.flags, absent: NO_FLAGS, covers: exactly },
        Kind { what: "environment variable", has: &variables, named: &mentions.variables, absent: &[], covers: exactly },
        Kind { what: "key of the file", has: &keys(), named: &mentions.keys, absent: NO_KEYS, covers: key },
        Kind {
            what: "key of scenarios",
            has: &scenario::keys::all(),
            named: &mentions.scenario_keys,
            absent: NO_SCENARIO_KEYS,
            covers: key,
        },
        Kind { what: "metric", has: &metrics, named: &mentions.metrics, absent: &[], covers: metric },
        Kind { what: "DNS name", has: &names, named: &mentions.names, absent: &[], covers: form },
    ]
    .iter()
    .flat_map(Kind::differences)
    .chain(unnamed_parameters(&whole))
    .collect()
}

/// Query parameters that no feature uses.
fn unnamed_parameters(features: &str) -> Vec<String> {
    let used = |parameter: &str| features.contains(&format!("?{parameter}=")) || features.contains(&format!("&{parameter}="));
    let of = |route: &http::Route| route.parameter_names().into_iter().filter(|it| !used(it)).map(str::to_owned).collect::<Vec<_>>();
    http::ROUTES
        .iter()
        .flat_map(of)
        .map(|parameter| format!("the program takes the parameter `{parameter}`, but no feature uses it"))
        .collect()
}

/// A command, or those that it is made of.
fn commands_below(above: &str, command: &clap::Command) -> Vec<String> {
    let name = format!("{above}{}", command.get_name());
    let below: Vec<String> =
        command.get_subcommands().filter(|it| it.get_name() != "help").flat_map(|it| commands_below(&format!("{name} "), it)).collect();
    // `help` has each other command below it, and is one all the same.
    if below.is_empty() || name == "help" { vec![name] } else { below }
}

/// Keys of the file, the fields of services and checks included.
fn keys() -> Vec<String> {
    let settings = config::KEYS.iter().filter_map(|key| key.file).map(ToOwned::to_owned);
    let of_service = definition::FIELDS.iter().filter(|field| !["checks", "meta"].contains(field)).map(|field| format!("service.{field}"));
    let of_check = ["service.checks", "check"].into_iter().flat_map(|table| {
        let fields = definition::checks::fields().iter().filter(|field| **field != "headers").map(move |field| format!("{table}.{field}"));
        fields.chain([format!("{table}.headers.*")])
    });
    let of_token = access::FIELDS.iter().map(|field| format!("token.{field}"));
    settings.chain(of_token).chain(of_service).chain(of_check).chain(["meta.*".to_owned(), "service.meta.*".to_owned()]).collect()
}

fn flags(program: &clap::Command) -> Vec<String> {
    let mut flags: BTreeSet<String> = BTreeSet::new();
    let own = program.get_subcommands().chain([program]);
    let below = program.get_subcommands().flat_map(clap::Command::get_subcommands);
    for argument in own.chain(below).flat_map(clap::Command::get_arguments) {
        flags.extend(argument.get_long().map(|long| format!("--{long}")));
    }
    flags.into_iter().collect()
}

/// The files of a folder of the package that end so.
fn files_of(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .expect("the folder is there")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == end))
        .collect();
    files.sort();
    files
}
