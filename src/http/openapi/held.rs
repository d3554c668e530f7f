//! Holds answers against the document.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::document::build;
use crate::http::testing::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// The schema at a JSON pointer of the document, with what it refers to.
pub(in crate::http) fn validator(pointer: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let made = || Arc::new(compile(DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}"))));
    validators.entry(pointer.to_owned()).or_insert_with(made).clone()
}

/// A schema whose references are to the components of the document.
pub(in crate::http) fn compile(schema: &Value) -> Validator {
    let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

/// Panics where the document does not have this answer to this request.
#[track_caller]
pub(in crate::http) fn holds(method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap();
    let method = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
    let Some((template, operations)) = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template, path)) else {
        assert_eq!(answer.status, 404, "{path} is not in the document");
        return;
    };
    let Some(operation) = operations.get(method) else {
        assert_eq!(answer.status, 405, "{method} {template} is not in the document");
        return;
    };
    let response = &operation["responses"][answer.status.to_string()];
    let at = format!("{method} {template}, {}: {}", answer.status, answer.text);
    assert!(response.is_object(), "the status is not in the document: {at}");
    let escape = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let pointer = format!("/paths/{}/{method}/responses/{}", escape(template), answer.status);
    for (name, header) in response["headers"].as_object().unwrap() {
        let value = answer.header(name);
        assert!(value.is_some() || header["required"] != true, "{name} is missing: {at}");
        let pointer = format!("{pointer}/headers/{name}/schema");
        let sound = |value: &str| validator(&pointer).is_valid(&value.into());
        assert!(value.is_none_or(sound), "{name} is {value:?}: {at}");
    }
    let Some((kind, _)) = response["content"].as_object().and_then(|content| content.iter().next()) else {
        assert_eq!((answer.header("content-type"), &*answer.text), (None, ""), "{at}");
        return;
    };
    assert_eq!(answer.header("content-type"), Some(kind.as_str()), "{at}");
    if kind.ends_with("json") && !answer.text.is_empty() {
        let pointer = format!("{pointer}/content/{}/schema", escape(kind));
        let errors: Vec<_> = validator(&pointer).iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {at}", errors.join("; "));
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(part, text): (&&str, &&str)| part == text || (part.starts_with('{') && !text.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}
