//! Every route, once: what is served, and what the document describes.

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    aliases, audit, blobs, bundles, datasets, exclusions, explain, gates, hardware, health, imports, interventions,
    jobs, leases, lineage, measurements, metrics, models, plugins, predict, registry, savings, spaces, tokens, traffic,
    validations, webhooks, workers,
};

/// Serves every route.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    all(&mut ServiceConfig::new(config));
}

/// Those with fixed first segments come before `/v1/{hardware}`; but for predictions, which are asked for most: the router tries one route
/// after the other.
pub(super) fn all(config: &mut ServiceConfig<'_>) {
    config
        .service(predict::predict)
        .service(health::healthz)
        .service(health::readyz)
        .service(metrics::prometheus)
        .service(spaces::list_spaces)
        .service(spaces::sample_space)
        .service(plugins::list_plugins)
        .service(plugins::rescan_plugins)
        .service(audit::audit_head)
        .service(audit::audit)
        .service(audit::events)
        .service(registry::backup_registry)
        .service(registry::verify_registry)
        .service(registry::collect_blobs)
        .service(blobs::put_blob)
        .service(blobs::get_blob)
        .service(jobs::submit_job)
        .service(jobs::list_jobs)
        .service(jobs::get_job)
        .service(jobs::cancel_job)
        .service(jobs::job_events)
        .service(leases::heartbeat_job)
        .service(leases::next_batch)
        .service(leases::submit_measurements)
        .service(leases::finish_job)
        .service(leases::release_job)
        .service(workers::list_workers)
        .service(workers::register_worker)
        .service(workers::confirm_worker)
        .service(workers::lease_work)
        .service(workers::calibrate_worker)
        .service(workers::sign_off_worker)
        .service(webhooks::list_webhooks)
        .service(webhooks::create_webhook)
        .service(webhooks::get_webhook)
        .service(webhooks::delete_webhook)
        .service(webhooks::ping_webhook)
        .service(tokens::list_tokens)
        .service(tokens::create_token)
        .service(tokens::revoke_token)
        .service(hardware::list_hardware)
        .service(hardware::get_hardware)
        .service(hardware::put_hardware)
        .service(interventions::delete_hardware)
        .service(interventions::rename_hardware)
        .service(explain::explain)
        .service(models::list_models)
        .service(models::create_model)
        .service(models::get_model)
        .service(lineage::get_lineage)
        .service(lineage::get_diff)
        .service(lineage::rebind_version)
        .service(bundles::export_model)
        .service(bundles::import_model)
        .service(aliases::get_alias)
        .service(aliases::move_alias)
        .service(aliases::roll_back)
        .service(gates::get_gate)
        .service(gates::set_gate)
        .service(validations::list_validations)
        .service(validations::validate)
        .service(validations::get_scatter)
        .service(validations::get_validation)
        .service(measurements::list_measurements)
        .service(measurements::measured_spaces)
        .service(measurements::record_measurements)
        .service(interventions::delete_measurements)
        .service(imports::import_measurements)
        .service(exclusions::list_exclusions)
        .service(exclusions::exclude_measurements)
        .service(savings::get_savings)
        .service(traffic::get_traffic)
        .service(traffic::set_traffic)
        .service(datasets::list_datasets)
        .service(datasets::freeze_dataset);
}
