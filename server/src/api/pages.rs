//! The pages for people, which are not in the document.

/// Whether a path is one of the pages for people, which are not in the document.
pub(super) fn is_page(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let below = |page| {
        path.strip_prefix(page)
            .is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'))
    };
    ["/docs", "/openapi.json"].into_iter().any(below)
}
