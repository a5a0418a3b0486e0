//! The server: whether it is reached, admits the worker, and knows the target.

use std::time::Duration;

use lglp_client::{Failure, Refusal, WorkerApi};
use lglp_registry::HardwareTarget;
use time::OffsetDateTime;

use super::{Examination, Finding};
use crate::identity;

/// How long a server may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(15);

/// Clocks that differ by less agree: the server tells its own in whole seconds.
const SKEW_S: f64 = 5.0;

/// What was found, and the target where the server has it.
pub(super) fn look(examination: &Examination<'_>) -> (Vec<Finding>, Option<HardwareTarget>) {
    let what = "server";
    let Some(http) = examination.http else {
        let remedy = "give --server URL to look at the server, the token and the target, too";
        return (vec![Finding::warning(what, "not asked", remedy)], None);
    };
    let clock = match http.within(PATIENCE).clock("/healthz") {
        Ok(clock) => clock,
        Err(error) => {
            let remedy = "check the URL, the network and that `lglp serve` runs";
            return (vec![Finding::missing(what, error.to_string(), remedy)], None);
        }
    };
    let mut findings = vec![Finding::ok(what, format!("{} answers", http.base()))];
    findings.extend(clock.map(skew));
    let api = WorkerApi::new(http, examination.name, &identity::instance());
    findings.push(token(&api));
    let target = examination.hardware.map(|name| api.hardware(name.as_str()));
    let target = match target {
        None => None,
        Some(Ok(hardware)) => serde_json::from_value(serde_json::json!(hardware)).ok(),
        Some(Err(failure)) => {
            let name = examination.hardware.expect("it was asked for");
            let remedy = match &failure {
                Failure::Refused {
                    why: Refusal::UnknownHardware,
                    ..
                } => "the worker creates it where it is started with --runtime",
                _ => "check the token",
            };
            findings.push(Finding::warning(format!("target {name}"), failure.to_string(), remedy));
            None
        }
    };
    (findings, target)
}

fn skew(server: OffsetDateTime) -> Finding {
    let skew = (OffsetDateTime::now_utc() - server).as_seconds_f64();
    let what = "clock";
    if skew.abs() <= SKEW_S {
        return Finding::ok(what, "agrees with the server's");
    }
    let found = format!("{skew:+.0} s off the server's");
    let remedy = "set it, e.g. by chrony: measurements carry this machine's time; nothing else depends on it";
    Finding::warning(what, found, remedy)
}

/// Whether the token is enough for a worker. A process that never registered asks for work, which is refused either way:
/// for want of a role first.
fn token(api: &WorkerApi) -> Finding {
    let what = "token";
    match api.lease(0) {
        Err(Failure::Refused {
            why: Refusal::NotAdmitted,
            text,
        }) => Finding::missing(
            what,
            text,
            "lglp token create --name NAME --role worker --hardware TARGET on the server, and LGLP_TOKEN here",
        ),
        Err(Failure::Lost(reason)) => Finding::missing(what, reason, "check the network"),
        Ok(_) | Err(Failure::Refused { .. }) => Finding::ok(what, "may measure"),
    }
}
