//! What the parameters of paths, queries and headers have to look like, by their names: the same wherever one stands.

use lglp_registry::Change;
use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Names of hardware targets, spaces, workers and webhooks.
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,62}$";

/// A tag of a generation, as `If-Match` takes it.
const TAG: &str = r#"(W/)?("[0-9]{1,18}"|[0-9]{1,18})"#;

/// Where a parameter stands, its name, and what its schema and example are.
struct Rule(&'static str, &'static str, fn() -> (Value, Value));

fn text(pattern: &str, example: &str) -> (Value, Value) {
    (json!({ "type": "string", "pattern": pattern }), json!(example))
}

fn number() -> (Value, Value) {
    let schema = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX });
    (schema, json!(1))
}

fn time() -> (Value, Value) {
    (
        json!({ "type": "string", "format": "date-time" }),
        json!("2026-05-01T12:00:00Z"),
    )
}

const RULES: [Rule; 15] = [
    Rule("path", "hardware", || text(NAME, "xeon-1t")),
    Rule("path", "alias", || text("^[a-z][a-z0-9._-]{0,62}$", "production")),
    Rule("path", "worker", || text(NAME, "bench-1")),
    Rule("path", "digest", || {
        text("^sha256:[0-9a-f]{64}$", &format!("sha256:{}", "0".repeat(64)))
    }),
    Rule("path", "version", number),
    Rule("path", "other", number),
    Rule("path", "number", number),
    Rule("query", "hardware", || text(NAME, "xeon-1t")),
    Rule("query", "space", || text(NAME, "mobilenetv3")),
    Rule("query", "version", number),
    Rule("query", "kind", || {
        (
            json!({ "type": "string", "enum": Change::kinds() }),
            json!("alias_moved"),
        )
    }),
    Rule("query", "since", time),
    Rule("query", "until", time),
    Rule("header", "If-Match", || {
        text(&format!(r"^(\*|{TAG}(, *{TAG})*)$"), "\"0\"")
    }),
    Rule("header", "Idempotency-Key", || text("^[!-~]{1,255}$", "a1b2c3d4")),
];

/// `id` is another thing in each family of paths.
fn id_of(path: &str) -> Option<(Value, Value)> {
    let family = path.strip_prefix("/v1/")?.split('/').next()?;
    match family {
        "jobs" => Some((
            json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            json!(1),
        )),
        "webhooks" => Some(text(NAME, "ci")),
        "tokens" => Some(text("^[0-9a-f]{12}$", "3f9a17c20b64")),
        _ => None,
    }
}

/// Completes the document.
pub(super) struct Parameters;

impl Modify for Parameters {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                complete(path, operation);
            }
        }
    }
}

fn complete(path: &str, operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some((schema, example)) = rule(path, parameter)
        {
            // These are literals, which read as schemas.
            let schema: Option<RefOr<Schema>> = serde_json::from_value(schema).ok();
            let known = ParameterBuilder::from(parameter.clone());
            *parameter = known.schema(schema).example(Some(example)).build();
        }
    }
}

fn rule(path: &str, parameter: &Parameter) -> Option<(Value, Value)> {
    let place = json!(parameter.parameter_in);
    if place == "path" && parameter.name == "id" {
        return id_of(path);
    }
    let fits = |Rule(at, name, _): &&Rule| place == *at && *name == parameter.name;
    RULES.iter().find(fits).map(|Rule(.., what)| what())
}
