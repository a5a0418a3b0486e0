//! What access adds to the OpenAPI document: how a token is sent.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Completes the document.
pub(super) struct Secured;

impl Modify for Secured {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("lglp_<id>_<secret>")
            .description(Some(
                "A token, as `lglp token create` shows it once. Its role is viewer, worker, operator or admin; each may do what \
                 those before it may. A server on a loopback address asks for tokens once the first was created, any other \
                 always. One that is confined to hardware targets may make the calls with one of them in their path, and those \
                 with `x-lglp-reach: shared`, which tell it of no other target.",
            ));
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}
