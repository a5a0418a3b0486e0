//! Access: who may call what, over real HTTP, with tokens that the program made.

use std::collections::BTreeSet;

use lglp_tests::{HARDWARE, Registry, bearer, root, tampered};
use serde_json::{Value, json};

fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi/openapi.json")).expect("the contract");
    serde_json::from_str(&text).expect("JSON")
}

/// Every role, the least first.
const ROLES: [&str; 4] = ["viewer", "worker", "operator", "admin"];

/// Every call of the contract: method, pattern, and the role that it names; none for those that need nothing.
fn calls() -> Vec<(String, String, Option<String>)> {
    let document = document();
    let mut calls = Vec::new();
    for (pattern, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let security = &operation["security"];
            let role = security.pointer("/0/token/0").and_then(Value::as_str);
            let known = match role {
                None => *security == json!([{}]),
                Some(role) => *security == json!([{ "token": [role] }]) && ROLES.contains(&role),
            };
            assert!(known, "{method} {pattern} has no rule: {security}");
            calls.push((method.to_uppercase(), pattern.clone(), role.map(str::to_owned)));
        }
    }
    calls
}

/// A path that fits a pattern: of a hardware target that is there, and of nothing else.
fn path(pattern: &str) -> String {
    let segment = |segment: &str| match segment {
        "{hardware}" => HARDWARE.to_owned(),
        "{digest}" => format!("sha256:{}", "0".repeat(64)),
        "{id}" => "0".repeat(12),
        other if other.starts_with('{') => "999999".to_owned(),
        literal => literal.to_owned(),
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What tokens that are confined to some hardware may reach beside it.
fn shared(pattern: &str) -> bool {
    // It changes what the server as a whole runs.
    if pattern == "/v1/plugins/rescan" {
        return false;
    }
    [
        "/v1/blobs",
        "/v1/hardware",
        "/v1/jobs",
        "/v1/plugins",
        "/v1/spaces",
        "/v1/workers",
    ]
    .iter()
    .any(|shared| pattern == *shared || pattern.strip_prefix(shared).is_some_and(|rest| rest.starts_with('/')))
}

/// A route that is registered but not in the contract would have no rule, and one without a rule admits nobody: both are
/// mistakes to be found here and not by users.
#[test]
fn every_route_is_in_the_contract_with_a_rule() {
    let mut registered = BTreeSet::new();
    let mut folders = vec![root().join("server/src/api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry").path();
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let source = std::fs::read_to_string(&entry).expect("a source file");
            for line in source.lines().map(str::trim) {
                let Some((method, rest)) = line.strip_prefix("#[").and_then(|l| l.split_once("(\"/")) else {
                    continue;
                };
                let pattern = rest.split('"').next().unwrap_or_default();
                registered.insert((method.to_uppercase(), format!("/{pattern}")));
            }
        }
    }
    let documented: BTreeSet<_> = calls()
        .into_iter()
        .map(|(method, pattern, _)| (method, pattern))
        .collect();
    assert!(registered.len() > 20, "routes are not found: {registered:?}");
    assert_eq!(
        registered, documented,
        "routes in server/src/api and calls in openapi/openapi.json"
    );
}

/// The table: every call of the contract by everybody.
#[test]
fn every_call_asks_for_its_role_and_scope() {
    let registry = Registry::default();
    registry.import(1);
    let [viewer, worker, operator, admin] = ROLES.map(|role| registry.token(role, role, &[]));
    let here = registry.token("here", "viewer", &["--hardware", HARDWARE]);
    let elsewhere = registry.token("elsewhere", "admin", &["--hardware", "toaster"]);
    let revoked = registry.token("revoked", "admin", &[]);
    registry.ok(&["token", "revoke", &revoked[5..17]]);
    let server = registry.serve();
    let tampered = tampered(&admin);
    let everywhere = |_: &str| true;
    let nowhere = |_: &str| false;
    let in_scope = |pattern: &str| pattern.contains("{hardware}") || shared(pattern);
    let out_of_scope = |pattern: &str| !pattern.contains("{hardware}") && shared(pattern);
    // Who, the secret, the role it stands for, and which calls its scope reaches.
    type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a dyn Fn(&str) -> bool);
    let rows: [Row; 9] = [
        ("nobody", None, None, &nowhere),
        ("a wrong secret", Some(&tampered), None, &nowhere),
        ("a revoked admin", Some(&revoked), None, &nowhere),
        ("a viewer", Some(&viewer), Some("viewer"), &everywhere),
        ("a worker", Some(&worker), Some("worker"), &everywhere),
        ("an operator", Some(&operator), Some("operator"), &everywhere),
        ("a viewer of this hardware", Some(&here), Some("viewer"), &in_scope),
        (
            "an admin of other hardware",
            Some(&elsewhere),
            Some("admin"),
            &out_of_scope,
        ),
        ("an admin", Some(&admin), Some("admin"), &everywhere),
    ];
    let rank = |role: &str| ROLES.iter().position(|r| *r == role);
    for (method, pattern, needed) in calls() {
        for (who, secret, role, reaches) in &rows {
            let url = path(&pattern);
            let header = secret.map(bearer);
            let headers: Vec<(&str, &str)> = header.iter().map(|h| ("Authorization", h.as_str())).collect();
            let body = (method != "GET").then_some("{}");
            let status = server.status(&method, &url, &headers, body);
            let what = format!("{method} {url} by {who}: {status}");
            let Some(needed) = &needed else {
                assert!(status < 400, "{what}");
                continue;
            };
            match role {
                None if secret.is_none() => assert_eq!(status, 401, "{what}"),
                // Bad tokens are refused in either way: after ten of them the address is locked out.
                None => assert!(status == 401 || status == 429, "{what}"),
                Some(role) if rank(role) < rank(needed) || !reaches(&pattern) => assert_eq!(status, 403, "{what}"),
                Some(_) => assert!(![0, 401, 403, 429].contains(&status), "{what}"),
            }
        }
    }
}

#[test]
fn refusals_say_what_is_missing() {
    let registry = Registry::default();
    let admin = registry.token("ann", "admin", &[]);
    let ci = registry.token("ci", "viewer", &["--hardware", HARDWARE]);
    let server = registry.serve();
    let expect = |answer: (u16, Value), status: u16, kind: &str, text: &str| {
        let (found, problem) = answer;
        assert_eq!(
            (found, problem["type"].as_str()),
            (status, Some(format!("urn:lglp:problem:{kind}").as_str())),
            "{problem}"
        );
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(text), "{detail}");
    };
    let get = |secret: &str, path: &str| server.call_as(secret, "GET", path, None);
    expect(server.get("/v1/hardware"), 401, "unauthorized", "LGLP_TOKEN");
    expect(get("secret", "/v1/hardware"), 401, "unauthorized", "cannot be read");
    expect(
        get(&tampered(&admin), "/v1/hardware"),
        401,
        "unauthorized",
        "does not know",
    );
    let basic = server.call("GET", "/v1/hardware", &[("Authorization", "Basic YTpi")], None);
    expect(basic, 401, "unauthorized", "Bearer");
    expect(get(&ci, "/v1/toaster/models"), 403, "forbidden", "`toaster`");
    expect(
        get(&ci, "/v1/NO NAME/models".replace(' ', "%20").as_str()),
        403,
        "forbidden",
        "confined",
    );
    expect(get(&ci, "/v1/audit"), 403, "forbidden", "the server as a whole");
    let create = json!({ "name": "eve", "role": "admin" }).to_string();
    let made = server.call_as(&ci, "POST", "/v1/tokens", Some(&create));
    expect(
        made,
        403,
        "forbidden",
        "the role admin; the token `ci` has the role viewer",
    );
    // What is encoded is the same to the router, and to the rules.
    assert_eq!(server.get("/v1/%61udit").0, 401);
    assert_eq!(get(&ci, "/v1/%61udit").0, 403);
    assert_eq!(get(&admin, "/v1/%61udit").0, 200);
    // Only who has a token learns what there is.
    assert_eq!(server.get("/v1/nothing").0, 401);
    assert_eq!(get(&ci, "/v1/nothing").0, 404);
    assert_eq!(server.call_as(&admin, "PATCH", "/v1/audit", None).0, 405);
    for open in ["/healthz", "/readyz", "/openapi.json", "/docs/"] {
        assert_eq!(server.get(open).0, 200, "{open}");
    }
    let challenge = server.header("GET", "/v1/hardware", &[], "WWW-Authenticate");
    assert_eq!(challenge.as_deref(), Some("Bearer"));
}

#[test]
fn a_scoped_token_sees_its_hardware_alone() {
    let registry = Registry::default();
    registry.import(1);
    let admin = registry.token("ann", "admin", &[]);
    let ci = registry.token("ci", "operator", &["--hardware", "toaster"]);
    let server = registry.serve();
    let names = |secret: &str| -> Vec<String> {
        let (_, list) = server.call_as(secret, "GET", "/v1/hardware", None);
        let targets = list["hardware"].as_array().expect("a list");
        targets
            .iter()
            .map(|t| t["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&admin), [HARDWARE]);
    assert_eq!(names(&ci), [""; 0]);
    let target =
        |name: &str| json!({ "name": name, "runtime": "onnxruntime", "settings": {}, "fingerprint": {} }).to_string();
    let put = |name: &str| {
        server
            .call_as(&ci, "PUT", &format!("/v1/hardware/{name}"), Some(&target(name)))
            .0
    };
    assert_eq!((put("kettle"), put("toaster")), (403, 200));
    assert_eq!(names(&ci), ["toaster"]);
    // A name in the body cannot stand for the one in the path.
    assert_eq!(
        server
            .call_as(&ci, "PUT", "/v1/hardware/toaster", Some(&target("kettle")))
            .0,
        422
    );
    assert_eq!(names(&admin), ["toaster", HARDWARE]);
}

/// The table of docs/access.md, of the contract.
#[test]
fn the_documented_roles_are_those_of_the_contract() {
    let mut rows = String::from("| call | role |\n| --- | --- |\n");
    for (method, pattern, role) in calls() {
        let role = role.unwrap_or_else(|| "none".into());
        rows.push_str(&format!("| `{method} {pattern}` | {role} |\n"));
    }
    let text = std::fs::read_to_string(root().join("docs/access.md")).expect("docs/access.md");
    assert!(
        text.contains(&rows),
        "the table in docs/access.md is out of date; it should be\n{rows}"
    );
}
