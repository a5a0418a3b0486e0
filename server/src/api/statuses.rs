//! The statuses that calls have in common, added to the document by what a call is: whoever takes a body may refuse it, whoever
//! asks for a token may miss it. What only one call answers, or answers for a reason of its own, stands at its handler.

use lglp_openapi::problem::{MEDIA_TYPE, Problem};
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, PartialSchema, ToSchema};

/// A call as the document describes it.
struct Call {
    operation: Value,
}

impl Call {
    fn asks_for_a_token(&self) -> bool {
        self.operation["security"] != json!([{}])
    }

    fn takes_a_body(&self) -> bool {
        self.operation.get("requestBody").is_some()
    }

    fn takes_json(&self) -> bool {
        self.operation["requestBody"]["content"]
            .get("application/json")
            .is_some()
    }

    fn has(&self, place: &str) -> bool {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["in"] == place)
    }

    fn has_header(&self, name: &str) -> bool {
        let mut parameters = self.operation["parameters"].as_array().into_iter().flatten();
        parameters.any(|parameter| parameter["in"] == "header" && parameter["name"] == name)
    }
}

/// A status: its code, its name among the document's responses, what it says, and which calls answer it.
struct Status(&'static str, &'static str, &'static str, fn(&Call) -> bool);

/// One line a status. A call whose handler documents the code itself keeps what it says.
const STATUSES: [Status; 14] = [
    Status(
        "400",
        "BadRequest",
        "What was sent cannot be read: no JSON, or no such query; what is no HTTP is answered without a body",
        |_| true,
    ),
    Status(
        "401",
        "Unauthorized",
        "No token, or none that is known",
        Call::asks_for_a_token,
    ),
    Status(
        "403",
        "Forbidden",
        "The token's role or hardware scope does not allow it, or without tokens a web page asks",
        Call::asks_for_a_token,
    ),
    Status("404", "NotFound", "There is no such thing; `detail` names it", |call| {
        call.has("path") || call.has("query")
    }),
    Status(
        "408",
        "TooSlow",
        "The body does not come along; a head that does not is answered without a body",
        |_| true,
    ),
    Status("409", "Conflict", "The key was used for something else", |call| {
        call.has_header("Idempotency-Key")
    }),
    Status("412", "Stale", "It has moved meanwhile", |call| {
        call.has_header("If-Match")
    }),
    Status("413", "TooLarge", "The body is too large", Call::takes_a_body),
    Status("422", "Invalid", "Not valid; `errors` names each place", |call| {
        call.takes_json() || call.has("path") || call.has("query") || call.has_header("Idempotency-Key")
    }),
    Status("428", "NoCondition", "If-Match is missing, or is no ETag", |call| {
        call.has_header("If-Match")
    }),
    Status(
        "429",
        "TooMany",
        "Too many bad tokens, or connections from one address; Retry-After says how long to wait",
        |_| true,
    ),
    Status(
        "431",
        "HeadTooLarge",
        "The request's head is too large; there is no body",
        |_| true,
    ),
    Status(
        "500",
        "Failed",
        "The server failed; its log says more",
        Call::asks_for_a_token,
    ),
    Status(
        "503",
        "Busy",
        "The server is busy, stops, or takes no writes at the moment; its disk may be full",
        |_| true,
    ),
];

/// Completes the document.
pub(super) struct Statuses;

impl Modify for Statuses {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let schemas = &mut components.schemas;
        schemas
            .entry(Problem::name().into_owned())
            .or_insert_with(Problem::schema);
        for Status(code, name, description, _) in STATUSES {
            // A head that is too large is refused before anything is known of who asks, by the protocol alone.
            let response = match code {
                "431" => ResponseBuilder::new().description(description).build(),
                _ => problem(description),
            };
            components.responses.insert(name.into(), RefOr::T(response));
        }
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            operations.into_iter().flatten().for_each(complete);
        }
    }
}

fn complete(operation: &mut Operation) {
    let call = Call {
        operation: json!(operation),
    };
    for Status(code, name, _, applies) in STATUSES {
        let responses = &mut operation.responses.responses;
        if applies(&call) && !responses.contains_key(code) {
            responses.insert(code.into(), RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
    ResponseBuilder::new()
        .description(description)
        .content(MEDIA_TYPE, content.build())
        .build()
}
