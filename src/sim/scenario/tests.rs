use super::{
    expectation::Seen,
    write::{Answer, Write},
    *,
};
use crate::{
    config::OnTerm,
    model::{MemberState, encryption::Mode},
    sim::scenario::network::Latency,
};

const HEAD: &str = "title = \"t\"\n[nodes]\ncount = 5\n";
const EXPECT: &str = "[[step]]\nwithin = \"1s\"\nagree = \"all\"\n";

#[test]
fn the_least_scenario_has_a_title_nodes_and_an_expectation() {
    let scenario = read(&format!("{HEAD}{EXPECT}"));
    assert_eq!((scenario.title.as_str(), scenario.nodes.len()), ("t", 5));
    assert_eq!(scenario.network, Network::default());
    let [step] = scenario.steps.as_slice() else { panic!("{scenario:?}") };
    assert_eq!((step.line, step.key, step.text.as_str(), step.when), (4, "agree", "agree = \"all\"", When::After(Duration::ZERO)));
    assert!(matches!(step.what, What::Expect(Expectation::Agree(_), Term::Within(_))));
}

#[test]
fn all_join_the_first_of_their_cluster_unless_somebody_else_is_named() {
    let scenario = read(&format!(
        "{HEAD}[[node]]\nnodes = \"n4..n5\"\ncluster = \"green\"\n[[node]]\nname = \"n3\"\njoin = [\"n2\", \"n3\"]\n[[node]]\nname = \"x\"\n{EXPECT}"
    ));
    let join: Vec<String> = scenario.nodes.iter().map(|node| scenario.said(&node.join)).collect();
    assert_eq!(join, ["", "n1", "n2", "", "n4", "n1"]);
}

#[test]
fn what_is_said_of_one_node_goes_over_what_is_said_of_all() {
    let scenario = read(&format!(
        "title = \"t\"\n[nodes]\nnames = [\"a\", \"b\"]\non_term = \"restart\"\nreap_after = \"1h\"\n\
         [[node]]\nname = \"b\"\nzone = \"east\"\non_term = \"leave\"\nstarted = false\n\
         [[node]]\nname = \"c\"\ncalled = \"a\"\n{EXPECT}"
    ));
    let [a, b, c] = scenario.nodes.as_slice() else { panic!("{scenario:?}") };
    assert_eq!((a.on_term, b.on_term, c.on_term), (OnTerm::Restart, OnTerm::Leave, OnTerm::Restart));
    assert_eq!((a.started, b.started), (true, false));
    assert_eq!((c.host.as_str(), c.name.as_str(), c.reap_after), ("c", "a", Some(Duration::from_secs(3_600))));
    assert_eq!(b.zone.as_ref().map(|zone| zone.as_str()), Some("east"));
}

#[test]
fn nodes_are_named_in_many_ways() {
    let check = |written: &str, nodes: &str| {
        let scenario =
            read(&format!("{HEAD}[groups]\nwest = [\"n1\", \"n2\"]\n[[step]]\nkill = {written}\n[[step]]\nstart = {written}\n{EXPECT}"));
        let What::Do(Action::Kill(found)) = &scenario.steps[0].what else { panic!("{scenario:?}") };
        assert_eq!(scenario.said(found), nodes, "{written}");
    };
    check("\"n3\"", "n3");
    check("\"N3\"", "n3");
    check("\"all\"", "n1..n5");
    check("\"all but n3\"", "n1, n2, n4, n5");
    check("\"all but west\"", "n3..n5");
    check("\"west\"", "n1, n2");
    check("\"n2..n4\"", "n2..n4");
    check("[\"n5\", \"west\", \"n1\"]", "n1, n2, n5");
    check("\"first 2\"", "n1, n2");
    check("\"last 1\"", "n5");
    check("\"first 50%\"", "n1..n3");
    check("\"last 50%\"", "n4, n5");
    check("\"last 1%\"", "n5");
}

#[test]
fn a_count_can_be_given_from_outside() {
    let text = format!("{HEAD}[[step]]\npartition = [\"first 50%\"]\n{EXPECT}");
    let scenario = Scenario::read(&text, Some(100)).unwrap();
    let What::Do(Action::Partition(parts)) = &scenario.steps[0].what else { panic!("{scenario:?}") };
    assert_eq!((scenario.nodes.len(), scenario.said(&parts[0])), (100, "n1..n50".to_owned()));
    for count in [0, 10_001] {
        assert_eq!(Scenario::read(&text, Some(count)).unwrap_err()[0].line, 3);
    }
    let named = Scenario::read(&format!("title = \"t\"\n[nodes]\nnames = [\"a\", \"b\"]\n{EXPECT}"), Some(3)).unwrap_err();
    assert_eq!((named[0].line, named[0].value.as_str()), (2, "nodes has no count, so its number can't be changed"));
}

#[test]
fn the_network_is_read() {
    let scenario = read(&format!(
        "{HEAD}[network]\nlatency = \"2ms\"\njitter = \"1ms\"\nloss = \"20%\"\nreordered_by = {{ least = \"1ms\", mean = \"2ms\" }}\nmtu = 1400\n\
         [[link]]\nbetween = [\"n1\", [\"n2\", \"n3\"]]\ndelay = \"5ms..9ms\"\n[[link]]\nfrom = \"n4\"\nto = \"all\"\nloss = \"1%\"\nprotocol = \"udp\"\nrate = \"8kbit\"\n{EXPECT}"
    ));
    let ms = Duration::from_millis;
    assert_eq!(scenario.network.latency, Latency::Between(ms(2), ms(3)));
    assert_eq!(scenario.network.reordered_by, Latency::Tail { least: ms(1), mean: ms(2) });
    assert_eq!((scenario.network.loss.to_string(), scenario.network.mtu), ("20%".into(), 1_400));
    let [both, one] = scenario.links.as_slice() else { panic!("{scenario:?}") };
    assert_eq!((both.way.both_ways, both.delay, both.rate), (true, Some(Latency::Between(ms(5), ms(9))), None));
    assert_eq!((one.way.both_ways, one.datagrams_only, one.rate), (false, true, Some(1_000)));
}

#[test]
fn a_step_changes_of_the_network_what_it_names() {
    let scenario = read(&format!("{HEAD}[network]\nloss = \"20%\"\nmtu = 1400\n[[step]]\nnetwork = {{ loss = \"0%\" }}\n{EXPECT}"));
    let What::Do(Action::Network(change)) = &scenario.steps[0].what else { panic!("{scenario:?}") };
    let mut network = scenario.network.clone();
    change.apply(&mut network);
    assert_eq!((network.loss.to_string(), network.mtu), ("0%".into(), 1_400));
}

#[test]
fn writes_are_read_with_the_readers_of_the_api() {
    let scenario = read(&format!(
        "{HEAD}[[step]]\nregister = {{ nodes = \"all\", service = \"web\", port = 80, checks = [{{ id = \"beat\", ttl = \"1m\" }}] }}\n\
         [[step]]\nderegister = {{ nodes = \"n1\", id = \"web\" }}\nunanswered = true\n\
         [[step]]\nmaintenance = {{ nodes = \"n1\", reason = \"new disk\" }}\nrefused = \"no space\"\n{EXPECT}"
    ));
    let What::Do(Action::Write(Write::Register(nodes, registration), Answer::Done)) = &scenario.steps[0].what else { panic!() };
    assert_eq!((nodes.len(), registration.instance.id.as_str(), registration.checks.len()), (5, "web", 1));
    let What::Do(Action::Write(Write::Deregister(_, id), Answer::Never)) = &scenario.steps[1].what else { panic!() };
    assert_eq!(id.as_str(), "web");
    let What::Do(Action::Write(Write::Maintenance { instance: None, .. }, Answer::Refused(text))) = &scenario.steps[2].what else {
        panic!()
    };
    assert_eq!(text, "no space");
}

#[test]
fn instances_are_named_by_node_and_id() {
    let scenario = read(&format!(
        "{HEAD}[[step]]\nregister = {{ nodes = \"all\", service = \"web\", port = 80 }}\n\
         [[step]]\nwithin = \"1s\"\nhands_out = {{ service = \"web\", instances = [\"n4/web-1\", \"first 2\"], by = \"n1\" }}\n\
         [[step]]\nthroughout = \"1s\"\nsees = {{ nodes = \"n2\", state = [\"down\", \"unknown\"] }}\n"
    ));
    let What::Expect(Expectation::HandsOut { instances, by: Some(by), .. }, _) = &scenario.steps[1].what else { panic!() };
    let named: Vec<String> = instances.iter().map(|instance| format!("{} {}", instance.node, instance.id)).collect();
    assert_eq!((named, scenario.said(by)), (vec!["0 web".to_owned(), "1 web".into(), "3 web-1".into()], "n1".into()));
    let What::Expect(Expectation::Sees { states, by: None, .. }, Term::Throughout(_)) = &scenario.steps[2].what else { panic!() };
    assert_eq!(*states, [Seen::As(MemberState::Down), Seen::Unknown]);
}

#[test]
fn each_flaw_of_a_step_is_told_with_its_line() {
    step("kil = \"n1\"", "kil is not known; did you mean kill?");
    step("kill = \"n1\"\nstop = \"n2\"", "step is several at once (stop, kill)");
    step("at = \"1s\"", "step has neither an action nor an expectation");
    step("kill = \"n9\"", "step.kill names \"n9\", which is neither a node nor a group; there are n1 to n5");
    step("kill = [\"n1\", \"n9\"]", "step.kill names \"n9\"");
    step("kill = []", "a text such as \"n1\"");
    step("kill = 3", "step.kill is 3; nodes are named by a text");
    step("kill = \"n3..n1\"", "goes backwards");
    step("kill = \"all but all\"", "leaves nobody");
    step("kill = \"first 6\"", "there are 5");
    step("kill = \"first x\"", "write a number such as 3");
    step("at = \"1s\"\nafter = \"1s\"\nkill = \"n1\"", "step.after is one too many");
    step("at = \"1x\"\nkill = \"n1\"", "step.at is \"1x\"; a duration is whole numbers");
    step("at = 5\nkill = \"n1\"", "step.at is 5; it takes a text in quotes");
    step("within = \"1s\"\nkill = \"n1\"", "step.within is for an expectation");
    step("refused = \"x\"\nkill = \"n1\"", "step.refused is for a write");
    step("agree = \"all\"", "step says not how long it is expected");
    step("within = \"1s\"\nthroughout = \"1s\"\nagree = \"all\"", "step.throughout is one too many");
    step("freeze = { nodes = \"n1\" }", "step.freeze.for is missing");
    step("freeze = \"n1\"", "step.freeze is the string \"n1\"; it is a table with nodes, for");
    step("partition = [\"n1..n3\", \"n3\"]", "step.partition has n3, which another part has, too");
    step("partition = [\"all\"]", "step.partition has all nodes in one part");
    step("partition = []", "step.partition has no parts");
    step("cut = { from = \"n1\" }", "step.cut.to is missing");
    step("cut = { between = [\"n1\"] }", "step.cut.between has two ends");
    step("heal = false", "step.heal is false");
    step("network = { latency = \"1ms..2ms\", jitter = \"1ms\" }", "step.network.jitter is for a fixed latency");
    step("network = { jitter = \"1ms\" }", "step.network.jitter is added to a latency");
    step("network = { latency = { least = \"2ms\", mean = \"2ms\" } }", "step.network.latency.mean is not more than least");
    step("network = { loss = 0.2 }", "step.network.loss is 0.2; it takes a text");
    step("network = { loss = \"0.2\" }", "a share is \"0%\" to \"100%\"");
    step("network = { mtu = 100 }", "a whole number from 576 to 65535");
    step("link = { from = \"n1\", to = \"n2\", protocol = \"udp\" }", "step.link.protocol says of what loss is");
    step("copy_data = { from = \"n1\", to = \"n1\" }", "step.copy_data.to is the same as from");
    step("disk = { nodes = \"n1\", state = \"broken\" }", "a disk is \"healthy\", \"full\" or \"slow\"");
    step("disk = { nodes = \"n1\", state = \"slow\" }", "step.disk.write_takes is missing");
    step("register = { nodes = \"n1\", service = \"web\" }", "step.register.port is missing");
    step("register = { nodes = \"n1\", service = \"web\", prot = 80 }", "step.register.prot is not known; did you mean port?");
    step("register = { nodes = \"n1\", service = \"we b\", port = 80 }", "step.register.service");
    step(
        "register = { nodes = \"n1\", service = \"web\", port = 80, checks = [{ id = \"a\", tcp = \"h:1\" }] }",
        "step.register.checks asks over the network",
    );
    step("health = { nodes = \"n1\", id = \"a\", status = \"ok\" }", "step.health.status is \"ok\"; a program is");
    step("link = { from = \"n1\", to = \"n2\", rate = \"1Mbit\" }", "step.link.rate is of all that a host sends");
    step("cut = { between = [\"n1..n3\", \"n3\"] }", "step.cut.between has n3 at both ends");
    step("maintenance = { nodes = \"n1\" }", "step.maintenance.reason is missing");
    step("forget = { node = \"n1..n2\", by = \"n3\" }", "step.forget.node names \"n1..n2\"");
    step("unanswered = true\nrefused = \"x\"\nleave = \"n1\"", "step.refused can't be beside unanswered");
    step("within = \"1s\"\nsees = { nodes = \"n1\", state = \"dead\" }", "the states are alive, suspect, restarting, down, left, unknown");
    step("within = \"1s\"\nheld_back = { service = \"web\", instances = [] }", "step.held_back.instances is empty");
    step("within = \"1s\"\nheld_back = { service = \"web\", instances = [\"n1\"], reason = \"x\" }", "the reasons are node_unknown");
    step("within = \"1s\"\nhands_out = { service = \"web\", instances = [\"n1/\"] }", "step.hands_out.instances is wrong");
}

#[test]
fn each_flaw_of_the_rest_is_told_with_its_line() {
    let check = |text: &str, line: usize, message: &str| flawed(&format!("{text}\n{EXPECT}"), line, message);
    check("titel = \"t\"\n[nodes]\ncount = 1", 1, "titel is not known; did you mean title?");
    check("title = \"\"\n[nodes]\ncount = 1", 1, "title takes 1 to 100 characters");
    check("title = \"t\"\n[nodes]\ncount = 10001", 3, "nodes.count is 10001; it is a whole number from 1 to 10000");
    check("title = \"t\"\n[nodes]\ncount = 2\nnames = [\"a\"]", 4, "nodes.names is one too many");
    check("title = \"t\"\n[nodes]\nnames = [\"a\", \"A\"]", 3, "nodes.names is a, which is there already");
    check("title = \"t\"\n[nodes]\nnames = [\"a\", \"all\"]", 3, "which stands for all nodes");
    check("title = \"t\"\n[nodes]\nnames = [\"a b\"]", 3, "RFC 1123");
    check("title = \"t\"\n[nodes]\n", 2, "nodes has none");
    check(&format!("{HEAD}reap_after = \"1s\""), 4, "nodes.reap_after is less than 10s");
    check(&format!("{HEAD}on_term = \"stop\""), 4, "\"leave\" nor \"restart\"");
    check(&format!("{HEAD}started = 1"), 4, "nodes.started is 1; it is true or false");
    check(&format!("{HEAD}[[node]]\nname = \"n6\""), 5, "node.name is n6; there are n1 to n5");
    check(&format!("{HEAD}[[node]]\nzone = \"a\""), 4, "node takes either name");
    check(&format!("{HEAD}[[node]]\nnodes = \"all\"\ncalled = \"a\""), 6, "node.called is for one node");
    check(&format!("{HEAD}[groups]\nn1 = \"n2\""), 5, "groups.n1 is n1, which has a meaning already");
    check(&format!("{HEAD}[network]\nlos = \"1%\""), 5, "network.los is not known; did you mean loss?");
    check(&format!("{HEAD}[[link]]\nfrom = \"n1\"\nto = \"n2\"\nbetween = [\"n1\", \"n2\"]"), 5, "link.from is one too many");
    check(&format!("{HEAD}[[link]]\nfrom = \"n1\"\nto = \"n2\"\nrate = \"1MB\""), 7, "such as \"10Mbit\"");
    flawed(HEAD, 1, "step is missing");
    flawed("title = ", 1, "");
}

#[test]
fn times_do_not_go_backwards() {
    let with = |steps: &str| format!("{HEAD}{steps}{EXPECT}");
    flawed(
        &with("[[step]]\nat = \"5s\"\nkill = \"n1\"\n[[step]]\nat = \"4s\"\nkill = \"n2\"\n"),
        8,
        "step.at is 4s, but the step before is not over before 5s",
    );
    let waits = "[[step]]\nat = \"5s\"\nwithin = \"10s\"\nagree = \"all\"\n[[step]]\n";
    flawed(&with(&format!("{waits}at = \"14s\"\nkill = \"n2\"\n")), 9, "step.at is 14s, but the step before may wait until 15s");
    read(&with(&format!("{waits}at = \"15s\"\nkill = \"n2\"\n")));
    read(&with("[[step]]\nthroughout = \"10s\"\nagree = \"all\"\n[[step]]\nat = \"5s\"\nkill = \"n2\"\n"));
    flawed(&with("[[step]]\nat = \"31d\"\nkill = \"n1\"\n"), 7, "step may last until 31d 1s; a scenario lasts at most 31d");
}

#[test]
fn what_can_not_be_meant_is_refused() {
    story("resume = \"n1\"", "step.resume names n1, which is not paused");
    story("start = \"n1..n3\"", "step.start names n1..n3, which runs already");
    story("kill = \"n1\"\n[[step]]\nstop = [\"n1\", \"n2\"]", "step.stop names n1, which does not run then");
    story(
        "kill = \"n1\"\n[[step]]\nmaintenance = { nodes = \"n1\", reason = \"x\" }",
        "step.maintenance names n1, which does not run then",
    );
    story("heal = true", "step.heal finds nothing to heal");
    story("restore = \"n1\"", "step.restore names n1, which runs");
    story("kill = \"n1\"\n[[step]]\nrestore = \"n1\"", "step.restore names n1, which has no backup");
    story("copy_data = { from = \"n1\", to = \"n2\" }", "step.copy_data names n2, which runs");
    story("health = { nodes = \"n1\", id = \"web\", status = \"critical\" }", "step.health.id is web, which no step registers with checks");
    story("change_address = \"n1\"", "step.change_address names n1, which runs: an agent is bound");
    story("take_address = { node = \"n1\", of = \"n2\" }", "step.take_address names n2, which has its address still");
    story("take_address = { node = \"n1\", of = \"n2\" }", "step.take_address names n1, which runs: an agent is bound");
    story(
        "kill = \"n1..n2\"\n[[step]]\ntake_address = { node = \"n1\", of = \"n2\" }\n[[step]]\nstart = \"n2\"",
        "step.start names n2, which has no address",
    );
    story(
        "within = \"1s\"\nhands_out = { service = \"web\", instances = [\"n1\"] }",
        "step.hands_out.service is web, which no step registers",
    );
    story("kill = \"n1\"\n[[step]]\nwithin = \"1s\"\nsees = { nodes = \"n2\", state = \"alive\", by = \"n1\" }", "step.sees.by names n1");
    story("kill = \"n1..n4\"\n[[step]]\nwithin = \"1s\"\nagree = \"all\"", "step.agree names fewer than two agents that run");
    let nothing = Scenario::read(&format!("{HEAD}[[step]]\nkill = \"n1\""), None).unwrap_err();
    assert_eq!(nothing[0].value, "step has no expectation: nothing could fail");
}

#[test]
fn keys_are_named_and_what_can_not_be_meant_of_them_is_refused() {
    let scenario = read(&format!(
        "{HEAD}keys = [\"old\", \"new\"]\n[[node]]\nname = \"n2\"\nencryption = \"accept\"\n[[node]]\nname = \"n3\"\nkeys = []\n{EXPECT}"
    ));
    let modes: Vec<Mode> = scenario.nodes[..3].iter().map(|node| node.encryption).collect();
    assert_eq!(modes, [Mode::Require, Mode::Accept, Mode::Off], "as of an agent that is given a file of keys");
    assert_eq!(scenario.nodes[0].keys.iter().map(KeyName::as_str).collect::<Vec<_>>(), ["old", "new"]);
    flawed(&format!("{HEAD}encryption = \"accept\"\n{EXPECT}"), 4, "nodes.encryption is accept for n1, which has no keys");
    flawed(&format!("{HEAD}keys = [\"a\", \"a\"]\n{EXPECT}"), 4, "is a, which is there already");
    flawed(&format!("{HEAD}keys = [3]\n{EXPECT}"), 4, "is no text in quotes");
    flawed(&format!("{HEAD}keys = [\"a\"]\nencryption = \"on\"\n{EXPECT}"), 5, "is none of off, accept and require");
    let add = "add_key = { nodes = \"n1\", key = \"a\" }";
    story("use_key = { nodes = \"n1\", key = \"a\" }", "step.use_key names n1, which has no such key");
    story("remove_key = { nodes = \"n1\", key = \"a\" }", "step.remove_key names n1, which has no such key");
    story("encryption = { nodes = \"n1\", mode = \"require\" }", "step.encryption names n1, which has no key");
    story(&format!("{add}\n[[step]]\n{add}"), "step.add_key names n1, which has the key already");
    story(
        &format!("{add}\n[[step]]\nremove_key = {{ nodes = \"n1\", key = \"a\" }}"),
        "which encrypts with the key: it must use another one first",
    );
    story(&format!("pause = \"n1\"\n[[step]]\n{add}"), "step.add_key names n1, which is paused");
    story("replay = { to = \"n1\" }", "step.replay finds nothing to say again: no record is before it");
    step("add_key = { nodes = \"n1\", key = \"not a label\" }", "step.add_key.key is wrong");
}

#[test]
fn all_flaws_are_told_at_once_in_the_order_of_their_lines() {
    let flaws =
        Scenario::read("titel = \"t\"\n[nodes]\ncount = 3\nzome = \"a\"\n[[step]]\nkill = \"x\"\n[[step]]\nstop = \"y\"\nat = \"x\"", None);
    let lines: Vec<usize> = flaws.unwrap_err().iter().map(|flaw| flaw.line).collect();
    assert_eq!(lines, [1, 1, 4, 6, 8, 9]);
}

fn read(text: &str) -> Scenario {
    Scenario::read(text, None).unwrap_or_else(|flaws| panic!("{text}\n{flaws:#?}"))
}

#[track_caller]
fn flawed(text: &str, line: usize, message: &str) {
    let flaws = Scenario::read(text, None).expect_err(text);
    assert!(flaws.iter().any(|flaw| flaw.line == line && flaw.value.contains(message)), "{text}\n{line}: {message}\n{flaws:#?}");
}

/// A step with one flaw, on the line where it stands or on one of those that follow.
#[track_caller]
fn step(step: &str, message: &str) {
    let text = format!("{HEAD}[[step]]\n{step}\n{EXPECT}");
    let flaws = Scenario::read(&text, None).expect_err(&text);
    assert!(flaws.iter().any(|flaw| (4..8).contains(&flaw.line) && flaw.value.contains(message)), "{step}\n{message}\n{flaws:#?}");
}

#[track_caller]
fn story(steps: &str, message: &str) {
    let text = format!("{HEAD}[[step]]\n{steps}\n{EXPECT}");
    let flaws = Scenario::read(&text, None).expect_err(&text);
    assert!(flaws.iter().any(|flaw| flaw.value.contains(message)), "{steps}\n{message}\n{flaws:#?}");
}
