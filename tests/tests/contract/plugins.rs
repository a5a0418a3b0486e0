//! Calls about builds of plugins.

use lglp_tests::{HARDWARE, Server};
use serde_json::Value;

use super::schema::check;

/// Looks at the plugin folder anew, and binds a version to other builds, of which there are none; the paths that were called.
pub(super) fn what_is_taken_up_and_bound(document: &Value, server: &Server) -> [&'static str; 2] {
    let [rescan, rebind] = ["/v1/plugins/rescan", "/v1/{hardware}/models/{version}/rebind"];
    let (status, answer) = server.post(rescan, "");
    assert_eq!(status, 200, "{answer}");
    check(document, ("post", rescan), status, &answer);
    for (version, body, expected) in [(1, "{}", 409), (1, "{\"tolerance\": 1}", 422), (99, "{}", 404)] {
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/models/{version}/rebind"), body);
        assert_eq!(status, expected, "{answer}");
        check(document, ("post", rebind), status, &answer);
    }
    [rescan, rebind]
}
