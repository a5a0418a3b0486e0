//! Recording answers: what changes from run to run, or from machine to machine, is told apart from what does not.

use lglp_tests::{Server, root};
use serde_json::{Map, Value, json};

/// Headers that clients rely on.
const HEADERS: [&str; 6] = ["allow", "content-type", "etag", "link", "location", "retry-after"];

/// What differs from run to run: times, digests of what was built or measured, identifiers, places, numbers that are not whole.
const FILTERS: [(&str, &str); 10] = [
    (r"urn:uuid:[0-9a-f-]{36}", "<request>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    (r"\b[0-9a-f]{64}\b", "<hash>"),
    (r"lglp_[A-Za-z0-9_-]{20,}", "<secret>"),
    (r"\b[0-9a-f]{12}\b", "<id>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r#"(/[^/\s"`]+)*/\.tmp\w+"#, "<folder>"),
    (r#"Linux \d+[^"]*"#, "<system>"),
    (r"-?\d+\.\d+(e-?\d+)?", "<number>"),
];

/// Calls a server, and keeps what it answers.
pub(super) struct Recorder<'s> {
    server: &'s Server,
    headers: Vec<(String, String)>,
    answers: Vec<Value>,
}

impl<'s> Recorder<'s> {
    pub(super) fn new(server: &'s Server) -> Self {
        Self {
            server,
            headers: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Calls from now on have this token.
    pub(super) fn authorize(&mut self, secret: &str) {
        self.headers.push(("Authorization".into(), lglp_tests::bearer(secret)));
    }

    /// Makes a call, of the form `POST /v1/jobs/{id}/cancel` with what stands for its names, and records the answer; its body.
    pub(super) fn call(&mut self, operation: &str, names: &[&str], body: Value) -> Value {
        self.call_with(operation, names, &[], body)
    }

    /// The same with headers, and a query where `names` have one left over.
    pub(super) fn call_with(
        &mut self,
        operation: &str,
        names: &[&str],
        headers: &[(&str, &str)],
        body: Value,
    ) -> Value {
        let (method, pattern) = operation.split_once(' ').expect("a method and a path");
        let mut names = names.iter();
        let mut path = String::new();
        for (at, piece) in pattern.split(['{', '}']).enumerate() {
            path += if at % 2 == 0 {
                piece
            } else {
                names.next().expect("a name")
            };
        }
        if let Some(query) = names.next() {
            path = format!("{path}?{query}");
        }
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = own.chain(headers.iter().copied()).collect();
        let body = (!body.is_null()).then(|| body.to_string());
        let mut answer = self
            .server
            .send(method, &path, &all, body.as_deref())
            .expect("an answer");
        let told: Map<String, Value> = HEADERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), json!(answer.headers().get(*name)?.to_str().ok()?))))
            .collect();
        let status = answer.status().as_u16();
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_vec()
            .unwrap_or_default();
        let whole: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        self.answers.push(json!({
            "call": format!("{operation} {}", path.strip_prefix("/v1").unwrap_or(&path)),
            "status": status,
            "headers": told,
            "body": steady(&whole),
        }));
        whole
    }

    /// Compares what was recorded with the snapshot of this name.
    pub(super) fn compare(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path(root().join("tests/tests/answers/snapshots"));
        settings.set_omit_expression(true);
        for (pattern, stand_in) in FILTERS {
            settings.add_filter(pattern, stand_in);
        }
        // Commands act in the name of whoever runs the tests.
        if let Some(user) = std::env::var("USER").ok().filter(|user| !user.is_empty()) {
            settings.add_filter(&format!("\"(\\w+)\": \"{user}\""), "\"$1\": \"cli\"");
        }
        settings.bind(|| insta::assert_json_snapshot!(name, self.answers));
    }
}

/// Entries of a list that are shown: the others are alike.
const SHOWN: usize = 3;

/// A body without what no filter of text finds: numbers that are not whole, of whatever length, files that are no text, and the rest of
/// long lists.
fn steady(body: &Value) -> Value {
    match body {
        Value::Number(number) if !number.is_u64() && !number.is_i64() => json!("<number>"),
        Value::Array(values) if values.len() > SHOWN + 1 => {
            let more = json!(format!("<{} more>", values.len() - SHOWN));
            values[..SHOWN].iter().map(steady).chain([more]).collect()
        }
        Value::Array(values) => values.iter().map(steady).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), steady(value)))
            .collect(),
        Value::String(text) if text.contains('\u{fffd}') => json!("<bytes>"),
        other => other.clone(),
    }
}
