//! Data folders that are copied, and put back.

use std::{fs, path::Path};

use cucumber::{given, then, when};

use crate::features::world::World;

#[given(regex = r"^(\w+)'s data folder is copied to (\w+)$")]
async fn copied(world: &mut World, name: String, to: String) {
    copy(&data(world, &name), &world.folder().join(to));
}

#[when(regex = r"^(\w+)'s data folder is restored from (\w+)$")]
async fn restored(world: &mut World, name: String, from: String) {
    let folder = data(world, &name);
    fs::remove_dir_all(&folder).expect("it is there");
    copy(&world.folder().join(from), &folder);
}

#[then(regex = r"^(\w+) ends with (\d+)$")]
async fn ends(world: &mut World, name: String, code: i32) {
    let status = world.agent_mut(&name).ends().await;
    assert_eq!(status.code(), Some(code), "{name} ended with {status}:\n{}", world.agent(&name).log_tail(30));
}

fn data(world: &World, name: &str) -> std::path::PathBuf {
    world.folder().join(format!("{name}.data"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the scenario's folder is writable");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let file = entry.expect("it can be read");
        fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}
