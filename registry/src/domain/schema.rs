//! How a [`Change`] is described in the document of the REST API: by what all its kinds have in common.

use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Change;

impl PartialSchema for Change {
    #[expect(deprecated, reason = "every other type's example is derived as this")]
    fn schema() -> RefOr<Schema> {
        let kind = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("`alias_moved`, `version_created`, `measurements_recorded`, ..."))
            .example(Some(json!("alias_moved")))
            .pattern(Some("^[a-z_]+$"));
        let hardware = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("The hardware target that it is about, where it is about one."))
            .example(Some(json!("xeon-1t")));
        let further = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(
            "The further fields of the kind, such as `alias` and `version` of `alias_moved`.",
        ));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("What happened. Further fields depend on the kind."))
            .property("kind", kind)
            .required("kind")
            .property("hardware", hardware)
            .additional_properties(Some(AdditionalProperties::RefOr(further.into())))
            .into()
    }
}

impl ToSchema for Change {}
