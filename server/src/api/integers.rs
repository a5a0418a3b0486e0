//! How far integers go. Rust's types without a sign reach twice as far as the formats `int32` and `int64` that stand for them, and
//! refuse what lies beyond; the document says so.

use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa::{Modify, Number};

/// Completes the document.
pub(super) struct Integers;

impl Modify for Integers {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.schemas.values_mut().for_each(bound);
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]);
        let parameters = operations
            .flatten()
            .flat_map(|operation| operation.parameters.iter_mut().flatten());
        for parameter in parameters {
            if let RefOr::T(parameter) = parameter {
                parameter.schema.iter_mut().for_each(bound);
            }
        }
    }
}

fn bound(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            bound_integer(object);
            object.properties.values_mut().for_each(bound);
            if let Some(AdditionalProperties::RefOr(inner)) = object.additional_properties.as_deref_mut() {
                bound(inner);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                bound(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(bound),
        Schema::AllOf(all) => all.items.iter_mut().for_each(bound),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(bound),
        _ => {}
    }
}

fn bound_integer(object: &mut Object) {
    let is_integer = match &object.schema_type {
        SchemaType::Type(one) => *one == Type::Integer,
        SchemaType::Array(several) => several.contains(&Type::Integer),
        SchemaType::AnyValue => false,
    };
    let has_no_sign = json!(object.minimum).as_f64().is_some_and(|least| least >= 0.0);
    if is_integer && has_no_sign {
        let most = if json!(object.format) == "int32" {
            u32::MAX as usize
        } else {
            usize::MAX
        };
        object.maximum.get_or_insert(Number::UInt(most));
        object.format = None;
    }
}
