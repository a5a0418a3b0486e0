//! The OpenAPI document.

use std::sync::LazyLock;

use actix_web::App;
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt as _;

use super::bodies::Bodies;
use super::integers::Integers;
use super::pages::is_page;
use super::parameters::Parameters;
use super::routes;
use super::secured::Secured;
use super::statuses::Statuses;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "lglp",
        description = "Knows how long a neural network takes on a device, without running it there. Latencies are \
                       milliseconds, times RFC 3339 in UTC, errors RFC 9457 problem documents. A field of a body that a call does \
                       not know is refused; answers may have more fields than these one day. Answers have an `X-Request-Id`, which \
                       problems and the server's log name, too.",
    ),
    servers((url = ".", description = "Where this document lies, also behind a prefix of paths")),
    tags(
        (name = "predict", description = "The main call"),
        (name = "hardware", description = "Devices that latencies belong to"),
        (name = "models", description = "Versions, aliases and their content"),
        (name = "measurements", description = "Ground truth"),
        (name = "jobs", description = "Long work in the background"),
        (name = "spaces", description = "Search spaces"),
        (name = "plugins", description = "Encoders, feature extractors, regressors, runtimes"),
        (name = "operation", description = "Health, metrics, audit, webhooks, tokens"),
    )
)]
struct Description;

/// What is added to what handlers say of themselves.
const ADDITIONS: [&dyn Modify; 5] = [&Secured, &Parameters, &Statuses, &Integers, &Bodies];

/// The contract, as committed in `openapi/openapi.json`: of the routes that are served.
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Description::openapi());
    let (_, mut document) = app.configure(routes::all).split_for_parts();
    ADDITIONS.iter().for_each(|addition| addition.modify(&mut document));
    document
}

/// The methods that the contract gives to a path, in capitals; none where there is no such path.
pub(super) fn methods(path: &str) -> Vec<&'static str> {
    static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(document);
    if is_page(path) {
        return vec!["GET", "HEAD", "OPTIONS"];
    }
    // Where several patterns fit, the one that is literal first: routes are registered in that order, too.
    let is_parameter = |part: &str| part.starts_with('{');
    let fits = |pattern: &&String| {
        let (pattern, path) = (pattern.split('/'), path.split('/'));
        pattern.clone().count() == path.clone().count()
            && pattern
                .zip(path)
                .all(|(p, segment)| p == segment || is_parameter(p) && !segment.is_empty())
    };
    let parameters = |pattern: &&String| pattern.split('/').map(is_parameter).collect::<Vec<_>>();
    let best = DOCUMENT.paths.paths.keys().filter(fits).min_by_key(parameters);
    let items = best.and_then(|pattern| DOCUMENT.paths.paths.get(pattern));
    let methods = items.into_iter().flat_map(|item| {
        [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PUT", item.put.is_some()),
            ("DELETE", item.delete.is_some()),
        ]
    });
    let mut found: Vec<_> = methods.filter_map(|(method, has)| has.then_some(method)).collect();
    if found.first() == Some(&"GET") {
        found.insert(1, "HEAD");
    }
    if !found.is_empty() {
        found.push("OPTIONS");
    }
    found
}
