//! A problem, for people.

use lglp_openapi::problem::{Problem, Slug};
use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;

/// What went wrong; where that is the server's own fault, with the id by which its log may have more.
pub(crate) fn problem_text(problem: &Problem) -> String {
    let detail = Excerpt::within(&problem.detail, MESSAGE);
    match problem
        .request_id()
        .filter(|_| problem.status >= 500 && problem.slug() != Some(Slug::Stopping))
    {
        Some(id) => format!("{detail} (request {} in the server's log)", Excerpt::of(id)),
        None => detail.to_string(),
    }
}
