//! Learning from what one may not see.

use lglp_tests::{HARDWARE, Registry};
use serde_json::{Value, json};

use super::staff::call;

/// The story: an operator who is confined to a target of his own had it onboarded, and the job told him the names of all other targets and
/// how many measurements each has; its version was fitted from them.
#[test]
fn an_onboarding_learns_only_from_targets_that_its_submitter_may_use() {
    let registry = Registry::default();
    registry.import(60);
    let admin = registry.token("chief", "admin", &[]);
    let confined = registry.token("guest", "operator", &["--hardware", "mine"]);
    let server = registry.serve();
    let submit = |token: &str, more: Value| {
        let mut parameters = json!({ "space": "ofa-mobilenetv3", "budget": 10 });
        let own = parameters.as_object_mut().expect("an object");
        own.extend(more.as_object().expect("an object").clone());
        let body = json!({ "kind": "onboard", "parameters": parameters });
        call(&server, Some(token), "POST", "/v1/mine/jobs", &body)
    };
    let (status, job) = submit(&confined, json!({}));
    assert_eq!(status, 202, "{job}");
    assert_eq!(job["parameters"]["sources"], json!(["mine"]), "{job}");
    let (status, problem) = submit(&confined, json!({ "sources": ["mine", HARDWARE] }));
    assert_eq!(status, 403, "{problem}");
    let (status, job) = submit(&confined, json!({ "sources": ["mine"] }));
    assert_eq!(status, 202, "{job}");
    // Whoever may use all learns from all.
    let (status, job) = submit(&admin, json!({}));
    assert_eq!((status, &job["parameters"]["sources"]), (202, &Value::Null), "{job}");
}
