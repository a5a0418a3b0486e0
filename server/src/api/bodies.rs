//! Which bodies may be left out: no body at all is an object without fields, which is a whole one where none has to be there.

use utoipa::Modify;
use utoipa::openapi::{Content, OpenApi, RefOr, Required, Schema};

/// Completes the document.
pub(super) struct Bodies;

impl Modify for Bodies {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = document.components.iter().flat_map(|components| &components.schemas);
        let needs_nothing = |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(object)) if object.required.is_empty() && !object.properties.is_empty());
        let optional: Vec<String> = schemas
            .filter(|(_, schema)| needs_nothing(schema))
            .map(|(name, _)| format!("#/components/schemas/{name}"))
            .collect();
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]);
        for body in operations
            .flatten()
            .filter_map(|operation| operation.request_body.as_mut())
        {
            if let RefOr::T(body) = body
                && body.content.values().any(|content| names_one(content, &optional))
            {
                body.required = Some(Required::False);
            }
        }
    }
}

/// Whether a content's schema is one of these.
fn names_one(content: &RefOr<Content>, schemas: &[String]) -> bool {
    let RefOr::T(content) = content else { return false };
    matches!(&content.schema, Some(RefOr::Ref(named)) if schemas.contains(&named.ref_location))
}
