//! Problems that several calls answer, as each of them documents it.

use utoipa::IntoResponses;

use super::Problem;

macro_rules! responses {
    ($($name:ident = $status:tt $text:tt;)*) => {$(
        #[doc = $text]
        #[derive(IntoResponses)]
        #[response(status = $status, description = $text, content_type = "application/problem+json")]
        pub struct $name(#[expect(dead_code, reason = "it names the schema of the body")] Problem);
    )*};
}

responses! {
    TooManyReads = 429 "Too many long reads wait; `Retry-After` says when to ask again";
    TooManyCalls = 429 "Too many long calls wait; `Retry-After` says when to ask again";
    TooMuchWaits = 429 "Too much waits; `Retry-After` says when to ask again";
    NoSuchThing = 404 "There is no such thing; `detail` names it";
    NoSuchJob = 404 "There is no such job";
    NoSuchHardware = 404 "There is no such hardware target";
    NoSuchWorker = 404 "There is no such worker";
    NoSuchWebhook = 404 "There is no such webhook";
    NothingToAsk = 404 "Unknown hardware, space, version or alias, or nothing in production yet";
    Invalid = 422 "Not valid; `errors` names each place";
    LeaseOver = 409 "The lease is over";
    RegisteredElsewhere = 409 "Another process has registered under the name";
    InUse = 409 "It is in use; `detail` says by what";
    RecordedOtherwise = 409 "Another measurement is recorded in that replicate";
    IfMatchMissing = 428 "If-Match is missing";
    AliasMoved = 412 "The alias has moved meanwhile";
    PluginTooSlow = 504 "A plugin did not come back within its deadline";
    PluginFailed = 500 "A plugin failed or panicked";
    QuotaReached = 403 "The caller has created all that it may";
    InvalidQuery = 400 "The query is not valid";
}
