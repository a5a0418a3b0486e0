//! The OpenAPI document.

use std::sync::LazyLock;

use utoipa::OpenApi;

use super::access::Secured;
use super::bodies::Bodies;
use super::integers::Integers;
use super::parameters::Parameters;
use super::statuses::Statuses;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "lglp",
        description = "Knows how long a neural network takes on a device, without running it there. Latencies are \
                       milliseconds, times RFC 3339 in UTC, errors RFC 9457 problem documents. A field of a body that a call does \
                       not know is refused; answers may have more fields than these one day.",
    ),
    servers((url = ".", description = "Where this document lies, also behind a prefix of paths")),
    paths(
        super::predict::predict,
        super::explain::explain,
        super::hardware::list_hardware,
        super::hardware::get_hardware,
        super::hardware::put_hardware,
        super::models::list_models,
        super::models::get_model,
        super::models::create_model,
        super::lineage::get_lineage,
        super::lineage::get_diff,
        super::bundles::export_model,
        super::bundles::import_model,
        super::aliases::get_alias,
        super::aliases::move_alias,
        super::aliases::roll_back,
        super::gates::get_gate,
        super::gates::set_gate,
        super::validations::list_validations,
        super::validations::validate,
        super::validations::get_validation,
        super::validations::get_scatter,
        super::measurements::list_measurements,
        super::measurements::measured_spaces,
        super::measurements::record_measurements,
        super::interventions::delete_measurements,
        super::imports::import_measurements,
        super::interventions::delete_hardware,
        super::interventions::rename_hardware,
        super::exclusions::list_exclusions,
        super::exclusions::exclude_measurements,
        super::savings::get_savings,
        super::traffic::get_traffic,
        super::traffic::set_traffic,
        super::datasets::list_datasets,
        super::datasets::freeze_dataset,
        super::workers::list_workers,
        super::workers::register_worker,
        super::workers::confirm_worker,
        super::workers::lease_work,
        super::workers::calibrate_worker,
        super::workers::sign_off_worker,
        super::leases::heartbeat_job,
        super::leases::next_batch,
        super::leases::submit_measurements,
        super::leases::finish_job,
        super::leases::release_job,
        super::jobs::submit_job,
        super::jobs::list_jobs,
        super::jobs::get_job,
        super::jobs::cancel_job,
        super::jobs::job_events,
        super::blobs::put_blob,
        super::blobs::get_blob,
        super::plugins::list_plugins,
        super::spaces::list_spaces,
        super::audit::audit,
        super::audit::audit_head,
        super::audit::events,
        super::registry::backup_registry,
        super::registry::verify_registry,
        super::registry::collect_blobs,
        super::health::healthz,
        super::health::readyz,
        super::metrics::prometheus,
    super::tokens::create_token, super::tokens::list_tokens, super::tokens::revoke_token, super::webhooks::create_webhook, super::webhooks::delete_webhook, super::webhooks::get_webhook, super::webhooks::list_webhooks, super::webhooks::ping_webhook,
    ),
    modifiers(&Secured, &Parameters, &Statuses, &Integers, &Bodies),
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
struct Document;

/// The contract, as committed in `openapi/openapi.json`.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
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

/// Whether a path is one of the pages for people, which are not in the document.
pub(super) fn is_page(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let below = |page| {
        path.strip_prefix(page)
            .is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'))
    };
    ["/docs", "/openapi.json"].into_iter().any(below)
}
