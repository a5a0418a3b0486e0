//! Problems that several calls answer, as each of them documents it.

use utoipa::IntoResponses;

use super::Problem;

/// Too many long reads wait; `Retry-After` says when to ask again.
#[derive(IntoResponses)]
#[response(
    status = 429,
    description = "Too many long reads wait; `Retry-After` says when to ask again",
    content_type = "application/problem+json"
)]
pub struct TooManyReads(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Too many long calls wait; `Retry-After` says when to ask again.
#[derive(IntoResponses)]
#[response(
    status = 429,
    description = "Too many long calls wait; `Retry-After` says when to ask again",
    content_type = "application/problem+json"
)]
pub struct TooManyCalls(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Too much waits; `Retry-After` says when to ask again.
#[derive(IntoResponses)]
#[response(
    status = 429,
    description = "Too much waits; `Retry-After` says when to ask again",
    content_type = "application/problem+json"
)]
pub struct TooMuchWaits(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// There is no such thing; `detail` names it.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such thing; `detail` names it",
    content_type = "application/problem+json"
)]
pub struct NoSuchThing(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// There is no such job.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such job",
    content_type = "application/problem+json"
)]
pub struct NoSuchJob(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// There is no such hardware target.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such hardware target",
    content_type = "application/problem+json"
)]
pub struct NoSuchHardware(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// There is no such worker.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such worker",
    content_type = "application/problem+json"
)]
pub struct NoSuchWorker(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// There is no such webhook.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such webhook",
    content_type = "application/problem+json"
)]
pub struct NoSuchWebhook(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Unknown hardware, space, version or alias, or nothing in production yet.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "Unknown hardware, space, version or alias, or nothing in production yet",
    content_type = "application/problem+json"
)]
pub struct NothingToAsk(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Not valid; `errors` names each place.
#[derive(IntoResponses)]
#[response(
    status = 422,
    description = "Not valid; `errors` names each place",
    content_type = "application/problem+json"
)]
pub struct Invalid(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// The lease is over.
#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "The lease is over",
    content_type = "application/problem+json"
)]
pub struct LeaseOver(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Another process has registered under the name.
#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "Another process has registered under the name",
    content_type = "application/problem+json"
)]
pub struct RegisteredElsewhere(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// It is in use; `detail` says by what.
#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "It is in use; `detail` says by what",
    content_type = "application/problem+json"
)]
pub struct InUse(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// Another measurement is recorded in that round.
#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "Another measurement is recorded in that round",
    content_type = "application/problem+json"
)]
pub struct RecordedOtherwise(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// If-Match is missing.
#[derive(IntoResponses)]
#[response(
    status = 428,
    description = "If-Match is missing",
    content_type = "application/problem+json"
)]
pub struct IfMatchMissing(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// The alias has moved meanwhile.
#[derive(IntoResponses)]
#[response(
    status = 412,
    description = "The alias has moved meanwhile",
    content_type = "application/problem+json"
)]
pub struct AliasMoved(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// A plugin did not come back within its deadline.
#[derive(IntoResponses)]
#[response(
    status = 504,
    description = "A plugin did not come back within its deadline",
    content_type = "application/problem+json"
)]
pub struct PluginTooSlow(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// A plugin failed or panicked.
#[derive(IntoResponses)]
#[response(
    status = 500,
    description = "A plugin failed or panicked",
    content_type = "application/problem+json"
)]
pub struct PluginFailed(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// The caller has created all that it may.
#[derive(IntoResponses)]
#[response(
    status = 403,
    description = "The caller has created all that it may",
    content_type = "application/problem+json"
)]
pub struct QuotaReached(#[expect(dead_code, reason = "it names the schema of the body")] Problem);

/// The query is not valid.
#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "The query is not valid",
    content_type = "application/problem+json"
)]
pub struct InvalidQuery(#[expect(dead_code, reason = "it names the schema of the body")] Problem);
