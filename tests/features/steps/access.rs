//! Tokens for the API.

use std::fs;

use cucumber::then;

use crate::features::{http, wait::eventually, world::World};

#[then(regex = r"^GET (\S+) at (\w+) with the token (\w+) is soon (\d+)$")]
async fn soon(world: &mut World, path: String, name: String, token: String, status: u16) {
    let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
    let url = world.agent(&name).url(&path);
    eventually(&format!("GET {path} at {name} with that token is {status}"), async || {
        let answer = http::ask_with("GET", &url, &headers, Vec::new(), http::LIMIT).await?;
        if answer.status.as_u16() == status { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[then(regex = r"^what it printed holds in (\S+) once (\w+) receives SIGHUP$")]
async fn holds(world: &mut World, file: String, name: String) {
    let ran = world.ran();
    let secret = ran.stderr.split_whitespace().find(|word| word.starts_with("tidings_")).expect("a secret").to_owned();
    let table = ran.stdout.clone();
    let path = world.folder().join(file);
    let before = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, before + &table).expect("it is ours");
    world.agent(&name).signal("HUP").await;
    soon(world, "/v1/nodes".into(), name, secret, 200).await;
}
