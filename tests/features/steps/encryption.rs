//! Keys of gossip, and turning encryption on.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use cucumber::{gherkin::Step, given, then, when};
use tidings::keyring::Key;

use crate::features::{wait::eventually, world::World};

#[given(regex = r"^a key file (\S+)$")]
#[when(regex = r"^the key file (\S+) becomes$")]
async fn key_file(world: &mut World, file: String, step: &Step) {
    let text = world.text(step);
    let path = world.folder().join(file);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the scenario's folder is writable");
    fs::write(&path, text).expect("the scenario's folder is writable");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
}

#[given(regex = r"^the file (\S+) may be read by (everyone|me alone)$")]
async fn may_be_read(world: &mut World, file: String, readers: String) {
    let mode = if readers == "everyone" { 0o644 } else { 0o600 };
    fs::set_permissions(world.folder().join(file), Permissions::from_mode(mode)).expect("it is ours");
}

#[when(regex = r#"^each of (\w+) and (\w+) soon says "(.+)" once its file has$"#)]
async fn reloaded(world: &mut World, one: String, other: String, text: String, step: &Step) {
    let file = world.text(step);
    for name in [one, other] {
        fs::write(world.folder().join(format!("{name}.toml")), &file).expect("the scenario's folder is writable");
        let agent = world.agent(&name);
        agent.signal("HUP").await;
        eventually(
            &format!("{name}'s log says {text:?}"),
            async || {
                if agent.log_text().contains(&text) { Ok(()) } else { Err(agent.log_tail(30)) }
            },
        )
        .await;
    }
}

#[then(regex = r"^it printed a key$")]
async fn printed(world: &mut World) {
    let text = &world.ran().stdout;
    Key::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
}

#[then(regex = r"^the file (\S+) has the key (\d+) alone$")]
async fn has_alone(world: &mut World, file: String, id: u8) {
    let text = fs::read_to_string(world.folder().join(file)).expect("it is there");
    let keys: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(keys.len() == 1 && keys[0].starts_with(&format!("{id}:")), "{} keys: {text}", keys.len());
}
