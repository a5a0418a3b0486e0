//! Access: who may call what, over real HTTP, with tokens that the program made.

use std::collections::BTreeSet;
use std::path::Path;

use lglp_tests::{HARDWARE, Registry, Server, root};
use serde_json::{Value, json};

/// Creates a token on the command line; its secret.
fn token(registry: &Registry, name: &str, role: &str, more: &[&str]) -> String {
    let made = registry.ok(&[&["token", "create", "--name", name, "--role", role], more].concat());
    made.trim_end().to_owned()
}

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// Status and body of a call with a token.
fn call(server: &Server, secret: &str, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
    server.call(method, path, &[("Authorization", &bearer(secret))], body)
}

/// Another secret for the same token.
fn tampered(secret: &str) -> String {
    let last = if secret.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &secret[..secret.len() - 1])
}

fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi/openapi.json")).expect("the contract");
    serde_json::from_str(&text).expect("JSON")
}

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
                Some(role) => {
                    *security == json!([{ "token": [role] }]) && ["viewer", "operator", "admin"].contains(&role)
                }
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
    ["/v1/blobs", "/v1/hardware", "/v1/jobs", "/v1/plugins", "/v1/spaces"]
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
    let ranks = ["viewer", "operator", "admin"];
    let [viewer, operator, admin] = ranks.map(|role| token(&registry, role, role, &[]));
    let here = token(&registry, "here", "viewer", &["--hardware", HARDWARE]);
    let elsewhere = token(&registry, "elsewhere", "admin", &["--hardware", "toaster"]);
    let revoked = token(&registry, "revoked", "admin", &[]);
    registry.ok(&["token", "revoke", &revoked[5..17]]);
    let server = registry.serve();
    let tampered = tampered(&admin);
    let everywhere = |_: &str| true;
    let nowhere = |_: &str| false;
    let in_scope = |pattern: &str| pattern.contains("{hardware}") || shared(pattern);
    let out_of_scope = |pattern: &str| !pattern.contains("{hardware}") && shared(pattern);
    // Who, the secret, the role it stands for, and which calls its scope reaches.
    type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a dyn Fn(&str) -> bool);
    let rows: [Row; 8] = [
        ("nobody", None, None, &nowhere),
        ("a wrong secret", Some(&tampered), None, &nowhere),
        ("a revoked admin", Some(&revoked), None, &nowhere),
        ("a viewer", Some(&viewer), Some("viewer"), &everywhere),
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
    let rank = |role: &str| ranks.iter().position(|r| *r == role);
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
    let admin = token(&registry, "ann", "admin", &[]);
    let ci = token(&registry, "ci", "viewer", &["--hardware", HARDWARE]);
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
    let get = |secret: &str, path: &str| call(&server, secret, "GET", path, None);
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
    let made = call(&server, &ci, "POST", "/v1/tokens", Some(&create));
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
    assert_eq!(call(&server, &admin, "PATCH", "/v1/audit", None).0, 405);
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
    let admin = token(&registry, "ann", "admin", &[]);
    let ci = token(&registry, "ci", "operator", &["--hardware", "toaster"]);
    let server = registry.serve();
    let names = |secret: &str| -> Vec<String> {
        let (_, list) = call(&server, secret, "GET", "/v1/hardware", None);
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
        call(
            &server,
            &ci,
            "PUT",
            &format!("/v1/hardware/{name}"),
            Some(&target(name)),
        )
        .0
    };
    assert_eq!((put("kettle"), put("toaster")), (403, 200));
    assert_eq!(names(&ci), ["toaster"]);
    // A name in the body cannot stand for the one in the path.
    assert_eq!(
        call(&server, &ci, "PUT", "/v1/hardware/toaster", Some(&target("kettle"))).0,
        422
    );
    assert_eq!(names(&admin), ["toaster", HARDWARE]);
}

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
            "`viewer`, `operator`, `admin`",
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
        call(&server, &admin, "POST", "/v1/tokens", Some(&body))
    };
    let (_, made) = create("ci", "operator");
    let ci = made["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(create("ci", "viewer").0, 409, "the name is taken");
    let digest = call(
        &server,
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
    assert_eq!(call(&server, &ci, "POST", &path, Some(&exclude.to_string())).0, 200);
    let dataset =
        json!({ "space": "mobilenetv3", "rows": 1, "origin": "a test", "creator": "somebody else", "content": "x\n" });
    let path = format!("/v1/{HARDWARE}/datasets");
    assert_eq!(call(&server, &ci, "POST", &path, Some(&dataset.to_string())).0, 201);
    let audit = call(&server, &admin, "GET", "/v1/audit?limit=1000", None).1;
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
    let revoke = |path: &str| call(&server, &admin, "DELETE", path, None);
    let (status, gone) = revoke(&ci_path);
    assert_eq!((status, &gone["revoked_by"]), (200, &json!("ann")), "{gone}");
    let (status, problem) = call(&server, &ci, "GET", "/v1/plugins", None);
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
    assert_eq!(call(&server, &admin, "GET", "/v1/tokens", None).0, 401);
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
    assert!(said.contains("viewer, operator, admin"), "{said}");
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
    assert_eq!(call(&server, ci, "GET", "/v1/plugins", None).0, 200);
    let (listed, _) = output(&["token", "list"]);
    assert!(
        listed.contains("ci") && listed.contains("toaster") && !listed.contains(&ci[18..]),
        "{listed}"
    );
    output(&["token", "revoke", &ci[5..17], "--reason", "a & b"]);
    assert_eq!(call(&server, ci, "GET", "/v1/plugins", None).0, 401);
    let audit = call(&server, admin, "GET", "/v1/audit", None).1;
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
    let admin = token(&registry, "ann", "admin", &[]);
    let server = registry.serve();
    let bad = || call(&server, &tampered(&admin), "GET", "/v1/plugins", None);
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
    assert_eq!(call(&server, &admin, "GET", "/v1/plugins", None).0, 200);
    assert_eq!(server.get("/v1/plugins").0, 401, "no token is no bad token");
    let metrics = call(&server, &admin, "GET", "/metrics", None).1;
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
    assert_eq!(call(&server, admin, "GET", "/v1/plugins", None).0, 200);
    drop(server);
    registry.ok(&["token", "revoke", &admin[5..17]]);
    let said = registry.fails(&["serve", "--bind", "0.0.0.0:0"]);
    assert!(said.contains("no active token"), "{said}");
}

/// Writes a self-signed certificate and its key; their files.
fn self_signed(folder: &Path, name: &str, subjects: &[&str]) -> (String, String) {
    let subjects: Vec<String> = subjects.iter().map(|s| (*s).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(subjects).expect("a certificate");
    let write = |suffix: &str, text: String| {
        let file = folder.join(format!("{name}{suffix}"));
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("UTF-8").to_owned()
    };
    (
        write(".pem", made.cert.pem()),
        write("-key.pem", made.signing_key.serialize_pem()),
    )
}

#[test]
fn tls_by_files() {
    let registry = Registry::default();
    let folder = registry.folder.path();
    let admin = token(&registry, "ann", "admin", &[]);
    let (certificate, key) = self_signed(folder, "server", &["127.0.0.1", "localhost"]);
    let (other, other_key) = self_signed(folder, "other", &["127.0.0.1"]);
    let agent = lglp_tests::agent(Some(Path::new(&certificate)));
    let server = registry.serve_at("127.0.0.1:0", &["--tls-cert", &certificate, "--tls-key", &key], agent);
    assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
    assert_eq!(call(&server, &admin, "GET", "/v1/plugins", None).0, 200);
    let command = |arguments: &[&str], ca: Option<&str>| {
        let mut command = registry.command(arguments);
        command.env("LGLP_TOKEN", &admin);
        if let Some(file) = ca {
            command.env("LGLP_CA", file);
        }
        let ran = command.output().expect("it runs");
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    assert_eq!(command(&["hardware"], Some(&certificate)), (true, String::new()));
    assert_eq!(
        command(&["hardware", "--ca", &certificate], None),
        (true, String::new())
    );
    for (ca, text) in [
        (None, "LGLP_CA"),
        (Some(other.as_str()), "LGLP_CA"),
        (Some(&key), "holds no certificate"),
    ] {
        let (succeeded, said) = command(&["hardware"], ca);
        assert!(!succeeded && said.contains(text), "{ca:?}: {said}");
    }
    // Who speaks plain HTTP to it gets nothing.
    let plain = server.base.replace("https", "http");
    let (succeeded, said) = command(&["hardware", "--server", &plain], None);
    assert!(!succeeded, "{said}");
    drop(server);

    let nothing = folder.join("nothing.pem");
    let nothing = nothing.to_str().expect("UTF-8");
    for (arguments, text) in [
        (vec!["--tls-cert", &certificate], "--tls-key"),
        (vec!["--tls-key", &key], "--tls-cert"),
        (vec!["--tls-cert", nothing, "--tls-key", &key], "cannot read"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "holds no certificate"),
        (
            vec!["--tls-cert", &certificate, "--tls-key", &certificate],
            "holds no private key",
        ),
        (
            vec!["--tls-cert", &certificate, "--tls-key", &other_key],
            "is not that of the first certificate",
        ),
    ] {
        let said = registry.fails(&[vec!["serve", "--bind", "127.0.0.1:0"], arguments.clone()].concat());
        assert!(said.contains(text), "{arguments:?}: {said}");
    }
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
