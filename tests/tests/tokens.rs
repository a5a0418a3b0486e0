//! Tokens: made, used, revoked, and what is kept of them.

use lglp_tests::{HARDWARE, Registry, bearer, tampered};
use serde_json::json;

#[test]
fn tokens_are_made_used_and_revoked_over_http() {
    let registry = Registry::default();
    registry.import(1);
    let server = registry.serve();
    // Nobody has a token yet, and everybody on this machine may do everything; the first token ends that.
    assert_eq!(server.get("/v1/tokens"), (200, json!({ "tokens": [] })));
    let first = json!({ "name": "ci", "role": "operator" }).to_string();
    let (status, problem) = server.post("/v1/tokens", &first);
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/role")),
        "{problem}"
    );
    for (body, pointer, text) in [
        (
            json!({ "name": "ann", "role": "root" }),
            "/role",
            "`viewer`, `worker`, `operator`, `admin`",
        ),
        (json!({ "name": "Ann B.", "role": "admin" }), "/name", "a-z 0-9"),
        (
            json!({ "name": "ann", "role": "admin", "hardware": ["tokens"] }),
            "/hardware/0",
            "reserved",
        ),
        (
            json!({ "name": "ann", "role": "admin", "scope": [] }),
            "/scope",
            "unknown field",
        ),
    ] {
        let (status, problem) = server.post("/v1/tokens", &body.to_string());
        assert_eq!(
            (status, problem["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{problem}"
        );
        assert!(problem.to_string().contains(text), "{problem}");
    }
    let (status, made) = server.post(
        "/v1/tokens",
        &json!({ "name": "ann", "role": "admin", "actor": "setup" }).to_string(),
    );
    assert_eq!((status, &made["token"]["created_by"]), (201, &json!("setup")), "{made}");
    let admin = made["secret"].as_str().expect("a secret").to_owned();
    let first_id = made["token"]["id"].as_str().expect("an id").to_owned();
    assert!(admin.starts_with(&format!("lglp_{first_id}_")));
    assert_eq!(server.get("/v1/tokens").0, 401);

    // Whoever is named in the body, the author is the holder of the token.
    let create = |name: &str, role: &str| {
        let body = json!({ "name": name, "role": role, "actor": "somebody else" }).to_string();
        server.call_as(&admin, "POST", "/v1/tokens", Some(&body))
    };
    let (_, made) = create("ci", "operator");
    let ci = made["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(create("ci", "viewer").0, 409, "the name is taken");
    let digest = server
        .call_as(
            &ci,
            "GET",
            &format!("/v1/{HARDWARE}/measurements?space=mobilenetv3"),
            None,
        )
        .1[0]["digest"]
        .clone();
    let exclude = json!({
        "actor": "somebody else",
        "exclusions": [{ "space": "mobilenetv3", "digest": digest, "round": 0, "reason": "hot", "evidence": {} }],
    });
    let path = format!("/v1/{HARDWARE}/exclusions");
    assert_eq!(server.call_as(&ci, "POST", &path, Some(&exclude.to_string())).0, 200);
    let dataset =
        json!({ "space": "mobilenetv3", "rows": 1, "origin": "a test", "creator": "somebody else", "content": "x\n" });
    let path = format!("/v1/{HARDWARE}/datasets");
    assert_eq!(server.call_as(&ci, "POST", &path, Some(&dataset.to_string())).0, 201);
    let audit = server.call_as(&admin, "GET", "/v1/audit?limit=1000", None).1;
    let author = |kind: &str| -> Vec<&str> {
        let entries = audit.as_array().expect("entries").iter();
        let of_kind = entries.filter(|e| e["change"]["kind"] == kind);
        of_kind.map(|e| e["actor"].as_str().expect("an actor")).collect()
    };
    assert_eq!(author("token_created"), ["setup", "ann"]);
    assert_eq!(author("measurements_excluded"), ["ci"]);
    assert_eq!(author("dataset_frozen"), ["ci"]);

    // A revoked token is refused at once; the last of an admin cannot be revoked here.
    let ci_path = format!("/v1/tokens/{}?reason=leaked", &ci[5..17]);
    let revoke = |path: &str| server.call_as(&admin, "DELETE", path, None);
    let (status, gone) = revoke(&ci_path);
    assert_eq!((status, &gone["revoked_by"]), (200, &json!("ann")), "{gone}");
    let (status, problem) = server.call_as(&ci, "GET", "/v1/plugins", None);
    assert_eq!(status, 401);
    assert!(
        problem["detail"].as_str().expect("a detail").contains("revoked"),
        "{problem}"
    );
    assert_eq!(revoke(&ci_path), (200, gone), "again is the same");
    assert_eq!(
        (revoke("/v1/tokens/000000000000").0, revoke("/v1/tokens/x").0),
        (404, 404)
    );
    let (status, problem) = revoke(&format!("/v1/tokens/{first_id}"));
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:lglp:problem:last-admin"))
    );
    assert_eq!(create("bob", "admin").0, 201);
    assert_eq!(revoke(&format!("/v1/tokens/{first_id}")).0, 200, "there is another now");
    assert_eq!(server.call_as(&admin, "GET", "/v1/tokens", None).0, 401);
    drop(server);

    // Who has the folder may do everything, even after every token was revoked; the server stays closed.
    for token in registry.json(&["token", "list"]).as_array().expect("tokens") {
        registry.ok(&["token", "revoke", token["id"].as_str().expect("an id")]);
    }
    let server = registry.serve();
    assert_eq!(server.get("/v1/hardware").0, 401, "it does not open again");
    nothing_secret(&registry, &[&admin, &ci]);
}

/// No byte of the secrets is in the registry's folder, and no hash of one in what is listed.
fn nothing_secret(registry: &Registry, secrets: &[&str]) {
    let mut folders = vec![registry.path()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry").path();
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&entry).expect("a file");
            for secret in secrets {
                let own = &secret.as_bytes()[18..];
                let found = bytes.windows(own.len()).any(|window| window == own);
                assert!(!found, "a secret is in {}", entry.display());
            }
        }
    }
    assert!(files > 3, "the registry has files");
}

/// A team's commands are the same with the folder and with a server, which asks them for a token.
#[test]
fn commands_take_a_token() {
    let registry = Registry::default();
    registry.import(1);
    let made = registry.json(&["token", "create", "--name", "ann", "--role", "admin"]);
    let admin = made["secret"].as_str().expect("a secret");
    let said = registry.fails(&["token", "create", "--name", "eve", "--role", "root"]);
    assert!(said.contains("viewer, worker, operator, admin"), "{said}");
    let said = registry.fails(&["token", "create", "--name", "Eve!", "--role", "viewer"]);
    assert!(said.contains("name: expected 1 to 63"), "{said}");
    let server = registry.serve();
    let said = registry.fails(&["hardware"]);
    assert!(said.contains("LGLP_TOKEN"), "{said}");
    let output = |arguments: &[&str]| {
        let ran = registry
            .command(arguments)
            .env("LGLP_TOKEN", admin)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{arguments:?}: {said}");
        (String::from_utf8(ran.stdout).expect("UTF-8"), said)
    };
    assert!(output(&["hardware"]).0.contains(HARDWARE));
    registry.ok(&["hardware", "--token", admin]);
    let (ci, said) = output(&[
        "token",
        "create",
        "--name",
        "ci",
        "--role",
        "viewer",
        "--hardware",
        "toaster",
    ]);
    assert!(
        said.contains("no hardware target toaster yet") && said.contains("shown this once"),
        "{said}"
    );
    let ci = ci.trim_end();
    assert_eq!(server.call_as(ci, "GET", "/v1/plugins", None).0, 200);
    let (listed, _) = output(&["token", "list"]);
    assert!(
        listed.contains("ci") && listed.contains("toaster") && !listed.contains(&ci[18..]),
        "{listed}"
    );
    output(&["token", "revoke", &ci[5..17], "--reason", "a & b"]);
    assert_eq!(server.call_as(ci, "GET", "/v1/plugins", None).0, 401);
    let audit = server.call_as(admin, "GET", "/v1/audit", None).1;
    let last = audit.as_array().and_then(|entries| entries.last()).expect("an entry");
    assert_eq!((&last["actor"], &last["reason"]), (&json!("ann"), &json!("a & b")));
    let hash = |secret: &str| lglp_registry::Digest::of(&secret.as_bytes()[18..]);
    let (tokens, audit) = (output(&["token", "list", "--json"]).0, audit.to_string());
    for secret in [ci, admin] {
        let hash = hash(secret);
        assert!(
            !tokens.contains(hash.hex()) && !audit.contains(hash.hex()),
            "a hash is told"
        );
    }
    let said = String::from_utf8(
        registry
            .command(&["--help"])
            .env("LGLP_TOKEN", admin)
            .output()
            .expect("help")
            .stdout,
    );
    assert!(!said.expect("UTF-8").contains(admin), "the help tells the token");
}

#[test]
fn too_many_bad_tokens_lock_an_address_out_but_never_a_good_token() {
    let registry = Registry::default();
    let admin = registry.token("ann", "admin", &[]);
    let server = registry.serve();
    let bad = || server.call_as(&tampered(&admin), "GET", "/v1/plugins", None);
    for count in 1..=10 {
        assert_eq!(bad().0, 401, "bad token {count}");
    }
    let (status, problem) = bad();
    assert_eq!(
        (status, problem["type"].as_str()),
        (429, Some("urn:lglp:problem:locked-out")),
        "{problem}"
    );
    let wrong = bearer(&tampered(&admin));
    let headers = [("Authorization", wrong.as_str())];
    let wait = server
        .header("GET", "/v1/plugins", &headers, "Retry-After")
        .expect("Retry-After");
    assert!((1..=60).contains(&wait.parse::<u32>().expect("seconds")), "{wait}");
    let malformed = server.call("GET", "/v1/plugins", &[("Authorization", "Bearer x")], None);
    assert_eq!(malformed.0, 429);
    assert_eq!(server.call_as(&admin, "GET", "/v1/plugins", None).0, 200);
    assert_eq!(server.get("/v1/plugins").0, 401, "no token is no bad token");
    let metrics = server.call_as(&admin, "GET", "/metrics", None).1;
    let metrics = metrics.as_str().expect("text");
    for line in ["lglp_bad_tokens_total 13", "lglp_lock_outs_total 1"] {
        assert!(metrics.lines().any(|l| l == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn a_server_that_others_reach_does_not_start_without_tokens() {
    let registry = Registry::default();
    let said = registry.fails(&["serve", "--bind", "0.0.0.0:0"]);
    let command = format!(
        "lglp token create --name admin --role admin --registry {}",
        registry.path().display()
    );
    assert!(said.contains(&command), "{said}");
    // The command that it names is the one that helps.
    let arguments: Vec<&str> = command.split(' ').collect();
    let made = registry.ok(&arguments[1..7]);
    let admin = made.trim_end();
    let server = registry.serve_at("0.0.0.0:0", &[], lglp_tests::agent(None));
    assert!(server.base.starts_with("http://127.0.0.1:"), "{}", server.base);
    assert_eq!(server.get("/v1/plugins").0, 401);
    assert_eq!(server.call_as(admin, "GET", "/v1/plugins", None).0, 200);
    drop(server);
    registry.ok(&["token", "revoke", &admin[5..17]]);
    let said = registry.fails(&["serve", "--bind", "0.0.0.0:0"]);
    assert!(said.contains("no active token"), "{said}");
}
