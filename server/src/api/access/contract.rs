//! What access adds to the OpenAPI document: how a token is sent, and the answers of whoever is not admitted.

use lglp_openapi::problem::{MEDIA_TYPE, Problem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, PartialSchema, ToSchema};

/// Completes the document.
pub struct Secured;

impl Modify for Secured {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("lglp_<id>_<secret>")
            .description(Some(
                "A token, as `lglp token create` shows it once. Its role is viewer, operator or admin; each may do what those \
                 before it may. A server on a loopback address asks for tokens once the first was created, any other always.",
            ));
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
        components
            .schemas
            .entry(Problem::name().into_owned())
            .or_insert_with(Problem::schema);
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| {
            [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]
                .into_iter()
                .flatten()
        });
        for operation in operations {
            let open = serde_json::json!(operation.security) == serde_json::json!([{}]);
            if open {
                continue;
            }
            for (status, description) in [
                ("401", "No token, or none that is known"),
                ("403", "The token's role or hardware scope does not allow it"),
                ("429", "Too many bad tokens; Retry-After says how long to wait"),
            ] {
                let responses = &mut operation.responses.responses;
                responses
                    .entry(status.into())
                    .or_insert_with(|| RefOr::T(problem(description)));
            }
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
