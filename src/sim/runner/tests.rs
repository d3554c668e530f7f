use std::{fs, path::Path, thread};

use super::*;

#[test]
fn every_scenario_of_the_folder_goes_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 23);
    let judge = |file: &Path| {
        let failure = play(&Scenario::load(file, None).unwrap(), 1, false).failure?;
        Some(format!("{}: {failure}", file.display()))
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = files.iter().map(|file| scope.spawn(|| judge(file))).collect();
        runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_one_another() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations/churn.toml");
    let scenario = Scenario::load(&file, None).unwrap();
    let (first, again, other) = (play(&scenario, 7, true), play(&scenario, 7, true), play(&scenario, 8, true));
    assert!(first.entries.iter().filter(|entry| !entry.is_step).count() > 40, "{first:#?}");
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_trace_tells_once_what_several_agents_see() {
    let outcome =
        play(&scenario("[[step]]\nkill = \"n3\"\n[[step]]\nwithin = \"20s\"\nsees = { nodes = \"n3\", state = \"down\" }"), 1, true);
    let told: Vec<&str> = outcome.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert!(told.contains(&"n1..n3: see each other alive: it answers"), "{told:#?}");
    assert!(told.contains(&"n1, n2: sees n3 down: it did not answer, nor did others reach it"), "{told:#?}");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "{told:#?}");
}

#[test]
fn what_does_not_come_true_in_time_is_told_with_what_is_there_instead() {
    let failure = failed(
        "[[step]]\nwithin = \"2s\"\nhands_out = { service = \"web\", instances = [\"n1\", \"n2\"] }\n[[step]]\nregister = { nodes = \"n1\", service = \"web\", port = 80 }",
    );
    assert_eq!((failure.line, failure.at.since_start()), (Some(7), Duration::from_secs(3)), "{failure}");
    assert_eq!(failure.details, ["n1..n3: does not hand out web of n1, n2 (unknown)"]);
    let failure = failed(
        "[[step]]\nregister = { nodes = \"all\", service = \"web\", port = 80 }\n\
         [[step]]\nwithin = \"1s\"\nhands_out = { service = \"web\", instances = [\"n1\"], by = \"n2\" }",
    );
    assert_eq!(failure.details, ["n2: hands out web of n2, n3"]);
    let failure = failed("[[step]]\nwithin = \"1s\"\nsees = { nodes = \"n1..n2\", state = \"down\", by = \"n3\" }");
    assert_eq!(failure.details, ["n3: sees n1, n2 as alive (it answers)"]);
    let failure = failed("[[step]]\nwithin = \"1s\"\nholds_name = { node = \"n1\", name = \"n2\" }");
    assert_eq!(failure.details, ["n1..n3: finds n2 under n2"]);
    let failure = failed(
        "[[step]]\nregister = { nodes = \"n1\", service = \"web\", port = 80 }\n\
         [[step]]\nwithin = \"1s\"\nheld_back = { service = \"web\", instances = [\"n1\"] }",
    );
    assert_eq!(failure.details, ["n1..n3: shows that web of n1 is handed out"]);
    let failure = failed(
        "[[step]]\npartition = [\"n3\"]\n[[step]]\nregister = { nodes = \"n3\", service = \"web\", port = 80 }\n[[step]]\nafter = \"100ms\"\nwithin = \"1s\"\nagree = \"all\"",
    );
    let of_n3 = failure.details.iter().find(|detail| detail.starts_with("n3: shows ")).unwrap_or_else(|| panic!("{failure}"));
    let (n3, n1) = of_n3.split_once("; n1 shows ").unwrap();
    assert!(n3.contains("web of n3 as passing") && !n1.contains("web"), "{failure}");
}

#[test]
fn what_must_hold_throughout_fails_at_the_moment_at_which_it_does_not() {
    let failure = failed(
        "[[step]]\nthroughout = \"1m\"\nsees = { nodes = \"n3\", state = [\"alive\", \"suspect\"] }\n[[step]]\nafter = \"1s\"\nkill = \"n3\"",
    );
    let at = failure.at.since_start().as_secs_f64();
    assert!((1.5..15.0).contains(&at) && failure.line == Some(7), "{failure}");
    assert!(failure.what.ends_with("does not hold any more"), "{failure}");
}

#[test]
fn writes_are_answered_as_they_say() {
    let check = |steps: &str, why: &str| {
        let failure = failed(&format!("[[step]]\n{steps}"));
        assert!(failure.what.contains(why), "{steps}\n{failure}");
    };
    check("deregister = { nodes = \"n1\", id = \"web\" }", "n1 refused it: no instance web is registered");
    check("deregister = { nodes = \"n1\", id = \"web\" }\nrefused = \"no space\"", "n1 refused it, but not because of \"no space\"");
    check("register = { nodes = \"n1\", service = \"web\", port = 80 }\nrefused = \"no space\"", "n1 did it, and was to refuse it");
    check("register = { nodes = \"n1\", service = \"web\", port = 80 }\nunanswered = true", "n1 was to be gone before it could answer");
    check(
        "disk = { nodes = \"n1\", state = \"slow\", write_takes = \"11s\" }\n[[step]]\nregister = { nodes = \"n1\", service = \"web\", port = 80 }",
        "n1 has not answered for 10 s",
    );
    check("forget = { node = \"n2\", by = \"n1\" }", "n1 refused it: node");
}

#[test]
fn a_knob_without_effect_is_a_failure() {
    let check = |steps: &str, what: &str| {
        let failure = failed(steps);
        assert!(failure.what.starts_with(what) && failure.what.ends_with("had no effect: it hit no packet"), "{steps}\n{failure}");
    };
    check("[[step]]\npartition = [\"n1\"]\n[[step]]\nheal = true", "line 7: partition = [\"n1\"]");
    check("[[step]]\ncut = { from = \"n1\", to = \"n2\" }\n[[step]]\nheal = true", "line 7: cut = { from = \"n1\", to = \"n2\" }");
    check("[[step]]\nnetwork = { loss = \"0.0001%\" }", "line 7: network = { loss = \"0.0001%\" }: a loss of 0.0001%");
    check("[[step]]\nnetwork = { duplication = \"0.0001%\" }", "line 7: network = { duplication = \"0.0001%\" }: a duplication");
    check("[[step]]\nnetwork = { reordering = \"0.0001%\" }", "line 7: network = { reordering = \"0.0001%\" }: a reordering");
    check("[[link]]\nfrom = \"n1\"\nto = \"n2\"\nloss = \"0.0001%\"", "[[link]] from n1 to n2: its loss");
    check("[[link]]\nfrom = \"n1\"\nto = \"all\"\nrate = \"10Gbit\"", "[[link]] from n1 to n1..n3: its rate");
}

#[test]
fn an_agent_that_ends_by_itself_is_a_failure_unless_it_is_expected() {
    let full = "[[step]]\nkill = \"n3\"\n[[step]]\ndisk = { nodes = \"n3\", state = \"full\" }\n[[step]]\nstart = \"n3\"\n";
    let failure = failed(full);
    assert!(failure.what.contains("the agent of n3 does not run") && failure.details[0].contains("no storage space"), "{failure}");
    let expected = |error: &str| format!("{full}[[step]]\nwithin = \"1s\"\nstopped = {{ nodes = \"n3\", error = \"{error}\" }}");
    assert_eq!(play(&scenario(&expected("no storage space")), 1, false).failure, None);
    let failure = failed(&expected("something else"));
    assert!(failure.details[0].starts_with("n3: ended by itself, but not because of \"something else\""), "{failure}");
}

#[test]
fn an_agent_that_stands_still_or_is_off_is_not_asked() {
    let steps = "[[step]]\npause = \"n3\"\n[[step]]\nregister = { nodes = \"n1\", service = \"web\", port = 80 }\n\
         [[step]]\nwithin = \"500ms\"\nhands_out = { service = \"web\", instances = [\"n1\"] }\n\
         [[step]]\nresume = \"n3\"\n[[step]]\nwithin = \"0s\"\nhands_out = { service = \"web\", instances = [\"n1\"], by = \"n3\" }\n\
         [[step]]\nfreeze = { nodes = \"n2\", for = \"2s\" }\n[[step]]\nderegister = { nodes = \"n1\", id = \"web\" }\n\
         [[step]]\nwithin = \"500ms\"\nhands_out = { service = \"web\", instances = [] }\n\
         [[step]]\nlose_power = \"n3\"\n[[step]]\nwithin = \"0s\"\nhands_out = { service = \"web\", instances = [] }";
    assert_eq!(play(&scenario(steps), 1, false).failure, None);
    let failure = failed(
        "[[step]]\nkill = \"n3\"\n[[step]]\nwithin = \"1s\"\nsees = { nodes = \"n1\", state = \"alive\" }\n[[step]]\nstart = \"n3\"\n[[step]]\nwithin = \"0s\"\nsees = { nodes = \"n1\", state = \"alive\" }",
    );
    assert!(failure.details[0].starts_with("n3: is not ready"), "{failure}");
}

/// Three nodes that know each other, then these steps; they begin on line 7.
fn scenario(steps: &str) -> Scenario {
    let text = format!("title = \"t\"\nnodes.count = 3\n[[step]]\nat = \"1s\"\nwithin = \"0s\"\nagree = \"all\"\n{steps}\n");
    Scenario::read(&text, None).unwrap_or_else(|flaws| panic!("{text}\n{flaws:#?}"))
}

#[track_caller]
fn failed(steps: &str) -> Failure {
    play(&scenario(steps), 1, false).failure.unwrap_or_else(|| panic!("it passes:\n{steps}"))
}
