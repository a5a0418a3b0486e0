//! What kinds of problem there are.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// What a problem's `type` begins with.
const URN: &str = "urn:lglp:problem:";

macro_rules! slugs {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a problem: what its `type` ends with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Slug {
            $($(#[$doc])* $name,)*
        }

        impl Slug {
            /// Every one, by name.
            const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

slugs! {
    /// The audit log does not hold together, or the records are not what it tells.
    AuditBroken = "audit-broken",
    /// The body is larger than the call takes.
    BodyTooLarge = "body-too-large",
    /// The body does not come along.
    BodyTooSlow = "body-too-slow",
    /// The server could do it, but not now.
    Busy = "busy",
    /// Something else is recorded in that place, or the idempotency key was used for something else.
    Conflict = "conflict",
    /// The disk that the registry is on is full.
    DiskFull = "disk-full",
    /// The worker's machine is another one than the target's.
    FingerprintDiffers = "fingerprint-differs",
    /// The token's role or hardware targets do not allow it.
    Forbidden = "forbidden",
    /// A web page of another origin asks a server that has no tokens.
    ForeignOrigin = "foreign-origin",
    /// The version does not pass the gate; each rule that fails is named.
    GateRefused = "gate-refused",
    /// Something uses it; the detail says what.
    InUse = "in-use",
    /// A fault of this server; its log tells more.
    Internal = "internal",
    /// The bundle cannot be read, or does not belong together.
    InvalidBundle = "invalid-bundle",
    /// The query cannot be read.
    InvalidQuery = "invalid-query",
    /// The body is not what the call takes; each place is named.
    InvalidRequest = "invalid-request",
    /// The job has ended.
    JobEnded = "job-ended",
    /// The last token of an admin cannot be revoked.
    LastAdmin = "last-admin",
    /// The address has sent too many wrong tokens.
    LockedOut = "locked-out",
    /// The body is no JSON.
    MalformedJson = "malformed-json",
    /// The path does not take this method.
    MethodNotAllowed = "method-not-allowed",
    /// A blob that is named was not stored.
    MissingBlob = "missing-blob",
    /// The model cannot be used here: its plugins, or its state.
    ModelUnusable = "model-unusable",
    /// Nothing is in production for the hardware target.
    NoProductionModel = "no-production-model",
    /// No call has this path.
    NoSuchPath = "no-such-path",
    /// There is no such thing; the detail names it.
    NotFound = "not-found",
    /// The alias has led to nothing before.
    NothingToRollBackTo = "nothing-to-roll-back-to",
    /// There is no other build of a version's plugins, or it predicts something else.
    NotRebound = "not-rebound",
    /// The bundle's hardware target is another machine than that of this name here.
    OtherMachine = "other-machine",
    /// The bundle's model was fitted with other plugins than there are here.
    OtherPlugins = "other-plugins",
    /// The bundle's search space is another one than that of this name here.
    OtherSpace = "other-space",
    /// Too much waits already.
    Overloaded = "overloaded",
    /// All processes of a plugin have something to do.
    PluginBusy = "plugin-busy",
    /// A process that a plugin runs in ended in the call.
    PluginCrashed = "plugin-crashed",
    /// A plugin failed.
    PluginFailed = "plugin-failed",
    /// A plugin did not come back within its deadline.
    PluginOverdue = "plugin-overdue",
    /// A plugin panicked.
    PluginPanicked = "plugin-panicked",
    /// A plugin is in quarantine, since calls into it hang, or end its processes.
    PluginQuarantined = "plugin-quarantined",
    /// A plugin misses something on this machine.
    PluginUnavailable = "plugin-unavailable",
    /// `If-Match` is missing.
    PreconditionRequired = "precondition-required",
    /// Too many jobs wait, or too many of the caller's.
    QueueFull = "queue-full",
    /// The caller has created all that it may.
    QuotaReached = "quota-reached",
    /// What was sent is no request that this server takes.
    Refused = "refused",
    /// It has moved since the caller saw it.
    StaleGeneration = "stale-generation",
    /// Another process has registered under the worker's name.
    StaleInstance = "stale-instance",
    /// The lease is over.
    StaleLease = "stale-lease",
    /// The server is stopping.
    Stopping = "stopping",
    /// The server, or the caller's address, has too many connections.
    TooManyConnections = "too-many-connections",
    /// Too many listen to jobs at once.
    TooManyListeners = "too-many-listeners",
    /// The caller registers workers too often.
    TooManyRegistrations = "too-many-registrations",
    /// A token is needed, or is none that is known.
    Unauthorized = "unauthorized",
    /// There is no such alias.
    UnknownAlias = "unknown-alias",
    /// There is no such hardware target.
    UnknownHardware = "unknown-hardware",
    /// There is no such search space here.
    UnknownSpace = "unknown-space",
    /// There is no such version.
    UnknownVersion = "unknown-version",
    /// The body broke off, or is not compressed as it says.
    UnreadableBody = "unreadable-body",
    /// The body is compressed otherwise than by gzip.
    UnsupportedEncoding = "unsupported-encoding",
    /// The version is in quarantine, since calls on its behalf hang, or end processes of plugins.
    VersionQuarantined = "version-quarantined",
    /// The version cannot be loaded here; the detail says why.
    VersionUnusable = "version-unusable",
    /// The request is itself the delivery of a webhook.
    WebhookLoop = "webhook-loop",
    /// Too many wait to write to the registry.
    WritersBusy = "writers-busy",
    /// The registry takes no writes until the server starts anew.
    WritesStopped = "writes-stopped",
}

impl Slug {
    /// The whole `type`.
    pub fn urn(self) -> String {
        format!("{URN}{}", self.as_str())
    }

    /// That of a `type`; none where this program does not know it: servers of later versions have more.
    pub fn of(urn: &str) -> Option<Self> {
        let slug = urn.strip_prefix(URN)?;
        Self::ALL.iter().copied().find(|known| known.as_str() == slug)
    }
}

/// The schema of a problem's `type`, which lists them all.
pub(super) fn types() -> RefOr<Schema> {
    let types = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What kind of problem, to branch on. Later versions may have more"))
        .enum_values(Some(Slug::ALL.iter().map(|slug| slug.urn())))
        .examples([serde_json::json!(Slug::InvalidRequest.urn())]);
    RefOr::T(types.build().into())
}
