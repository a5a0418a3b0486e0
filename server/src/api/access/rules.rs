//! What role each call needs, read from the OpenAPI document: the contract that clients read is the one that is enforced.
//!
//! `security(("token" = ["operator"]))` at a handler asks for a role, `security(())` for nothing. A call without either
//! is refused to everybody, and what the document does not have is not reached at all: forgetting a rule closes a route.
//!
//! A call with a hardware target in its path reaches that one. Of the others, one that says `"x-lglp-reach" = json!("shared")` belongs to
//! no hardware target, and tokens that are confined to some may make it all the same: its handler shows them theirs alone (lists hold
//! only what a token may see; jobs and workers are checked by their targets), or what everybody with the token's role may know (plugins,
//! spaces, a blob by its digest). What does not say so concerns the server as a whole.

use lglp_registry::Role;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use crate::api::pages::is_page;

/// What a call needs; more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Nothing.
    Nothing,
    /// A token of this role, or of one that may do more.
    Role(Role),
    /// What nobody has: no rule was written.
    Rule,
}

/// What a call reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach<'a> {
    /// A hardware target, by its name as it stands in the path.
    Hardware(&'a str),
    /// Something that belongs to no hardware target, and that handlers filter.
    Shared,
    /// The server as a whole.
    Server,
}

/// The rule for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub need: Need,
    pub reach: Reach<'a>,
}

/// The rules of every call, by the number of segments that its path has.
pub(super) struct Rules(Vec<Vec<Rule>>);

struct Rule {
    method: String,
    segments: Vec<Segment>,
    need: Need,
    shared: bool,
}

/// A part of a path; the order puts what is more specific first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
}

impl Rules {
    pub(super) fn of(document: &OpenApi) -> Self {
        let document = serde_json::json!(document);
        let paths = document["paths"].as_object().into_iter().flatten();
        let mut rules: Vec<Rule> = paths
            .flat_map(|(pattern, item)| {
                let operations = item.as_object().into_iter().flatten();
                operations.map(|(method, operation)| Rule::new(pattern, method, operation))
            })
            .collect();
        // Where several fit, the most specific holds: routes are registered in that order, too.
        rules.sort_by(|a, b| a.segments.cmp(&b.segments));
        let mut by_length: Vec<Vec<Rule>> = Vec::new();
        for rule in rules {
            let length = rule.segments.len();
            by_length.resize_with(by_length.len().max(length + 1), Vec::new);
            by_length[length].push(rule);
        }
        Self(by_length)
    }

    /// Those of as many segments as a path has.
    fn of_length(&self, path: &str) -> &[Rule] {
        let length = path.split('/').count();
        self.0.get(length).map_or(&[], Vec::as_slice)
    }

    /// The rule for a call; none where there is no such call. `path` is what the router matches: decoded once.
    pub(super) fn find<'a>(&self, method: &str, path: &'a str) -> Option<Found<'a>> {
        if is_page(path) {
            let (need, reach) = (Need::Nothing, Reach::Shared);
            return Some(Found { need, reach });
        }
        if method == "OPTIONS" {
            return self.options(path);
        }
        let rules = self.of_length(path).iter();
        rules
            .filter(|rule| rule.method == method)
            .find_map(|rule| rule.fit(path))
    }

    /// Whether something may be done with a path without a token.
    pub(super) fn is_open(&self, path: &str) -> bool {
        self.options(path).is_some_and(|found| found.need == Need::Nothing)
    }

    /// What may be done with a path is told to whoever may do the least of it.
    fn options<'a>(&self, path: &'a str) -> Option<Found<'a>> {
        let fit = self.of_length(path).iter().filter_map(|rule| rule.fit(path));
        fit.min_by_key(|found| found.need)
    }
}

impl Rule {
    fn new(pattern: &str, method: &str, operation: &Value) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(text.to_owned()),
        };
        Self {
            method: method.to_uppercase(),
            segments: pattern.split('/').map(segment).collect(),
            need: need(&operation["security"]),
            shared: operation["x-lglp-reach"] == "shared",
        }
    }

    fn fit<'a>(&self, path: &'a str) -> Option<Found<'a>> {
        let mut hardware = None;
        let mut given = path.split('/');
        for segment in &self.segments {
            let text = given.next()?;
            match segment {
                Segment::Literal(literal) if literal != text => return None,
                Segment::Literal(_) => {}
                Segment::Parameter(_) if text.is_empty() => return None,
                Segment::Parameter(name) if name == "hardware" => hardware = Some(text),
                Segment::Parameter(_) => {}
            }
        }
        if given.next().is_some() {
            return None;
        }
        let reach = match hardware {
            Some(name) => Reach::Hardware(name),
            None if self.shared => Reach::Shared,
            None => Reach::Server,
        };
        Some(Found { need: self.need, reach })
    }
}

/// `[{}]` needs nothing, `[{"token": [role]}]` that role; whatever else is no rule.
fn need(security: &Value) -> Need {
    let Some([one]) = security.as_array().map(Vec::as_slice) else {
        return Need::Rule;
    };
    if one.as_object().is_some_and(serde_json::Map::is_empty) {
        return Need::Nothing;
    }
    match one["token"].as_array().map(Vec::as_slice) {
        Some([role]) => role
            .as_str()
            .and_then(|role| role.parse().ok())
            .map_or(Need::Rule, Need::Role),
        _ => Need::Rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::document;

    #[test]
    fn the_most_specific_rule_holds() {
        let rules = Rules::of(&document());
        let found = |method, path| rules.find(method, path).map(|found| (found.need, found.reach));
        let viewer = Need::Role(Role::Viewer);
        assert_eq!(
            found("GET", "/v1/xeon-1t/models/3"),
            Some((viewer, Reach::Hardware("xeon-1t")))
        );
        assert_eq!(
            found("GET", "/v1/hardware/models"),
            Some((viewer, Reach::Hardware("models")))
        );
        assert_eq!(found("GET", "/v1/hardware"), Some((viewer, Reach::Shared)));
        assert_eq!(found("GET", "/v1/audit"), Some((viewer, Reach::Server)));
        assert_eq!(found("GET", "/healthz"), Some((Need::Nothing, Reach::Server)));
        assert_eq!(
            found("DELETE", "/v1/tokens/0"),
            Some((Need::Role(Role::Admin), Reach::Server))
        );
        for page in ["/", "/docs", "/docs/", "/docs/index.html", "/openapi.json"] {
            assert_eq!(found("GET", page), Some((Need::Nothing, Reach::Shared)), "{page}");
        }
        for nowhere in ["/v1//models", "/v1/xeon-1t/models/", "", "/docsx", "/v1/xeon-1t"] {
            assert_eq!(found("GET", nowhere), None, "{nowhere}");
        }
        assert_eq!(found("PATCH", "/v1/audit"), None);
    }

    #[test]
    fn what_is_no_rule_admits_nobody() {
        let read = |text: &str| need(&serde_json::from_str(text).unwrap());
        assert_eq!(read("[{}]"), Need::Nothing);
        assert_eq!(read(r#"[{"token": ["operator"]}]"#), Need::Role(Role::Operator));
        for none in [
            "null",
            "[]",
            "{}",
            r#"[{"token": []}]"#,
            r#"[{"token": ["root"]}]"#,
            r#"[{"token": ["viewer", "admin"]}]"#,
            r#"[{"key": ["viewer"]}]"#,
            r#"[{}, {"token": ["viewer"]}]"#,
        ] {
            assert_eq!(read(none), Need::Rule, "{none}");
        }
    }
}
