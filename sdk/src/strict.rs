//! JSON as JSON Schema, and so the contract, means it, where serde means something else: 1.0 is an integer, and an array is no
//! object, whatever the order of its fields.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

/// Integers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that a JSON number is, where it is one that is not negative.
pub fn whole(number: &serde_json::Number) -> Option<u64> {
    let float = || number.as_f64().filter(|float| is_whole(*float) && *float >= 0.0);
    number.as_u64().or_else(|| Some(float()? as u64))
}

fn is_whole(float: f64) -> bool {
    float.fract() == 0.0 && float.abs() <= EXACT
}

/// Reads from another deserializer. It serves as seed, too, and as access to what is inside.
pub struct Strict<D>(pub D);

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Anything,
    Whole,
    Object,
}

/// Hands on what is read, but for what differs.
struct Reader<V> {
    visitor: V,
    wanted: Wanted,
}

macro_rules! asks_for {
    ($wanted:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Reader { visitor, wanted: Wanted::$wanted })
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    asks_for!(Whole: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64);
    asks_for!(Anything: deserialize_any deserialize_bool deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq
        deserialize_map deserialize_identifier deserialize_ignored_any);

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Reader::of(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Reader::of(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Reader::of(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, Reader::of(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::Object;
        self.0.deserialize_struct(name, fields, Reader { visitor, wanted })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Reader::of(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

impl<V> Reader<V> {
    fn of(visitor: V) -> Self {
        let wanted = Wanted::Anything;
        Self { visitor, wanted }
    }
}

macro_rules! hands_on {
    ($($method:ident: $type:ty)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Reader<V> {
    type Value = V::Value;

    hands_on!(visit_bool: bool visit_i64: i64 visit_u64: u64 visit_char: char visit_str: &str visit_borrowed_str: &'de str
        visit_string: String visit_bytes: &[u8] visit_borrowed_bytes: &'de [u8] visit_byte_buf: Vec<u8>);

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Whole if is_whole(value) && value < 0.0 => self.visitor.visit_i64(value as i64),
            Wanted::Whole if is_whole(value) => self.visitor.visit_u64(value as u64),
            _ => self.visitor.visit_f64(value),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if self.wanted == Wanted::Object {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self.visitor));
        }
        self.visitor.visit_seq(Strict(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Strict(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Strict(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, content) = self.0.variant_seed(seed)?;
        Ok((name, Strict(content)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Reader::of(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let wanted = Wanted::Object;
        self.0.struct_variant(fields, Reader { visitor, wanted })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Rules {
        most: Option<u32>,
        least: i8,
        share: f64,
        inner: Vec<Rules>,
        any: Value,
        kind: Kind,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    enum Kind {
        #[default]
        None,
        Some(u16),
        Many {
            count: u64,
        },
    }

    fn read(value: &Value) -> Result<Rules, serde_json::Error> {
        Rules::deserialize(Strict(value))
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_nothing() {
        let rules = json!({ "most": 7.0, "least": -3.0, "share": 2, "inner": [{ "most": 1e3 }], "any": 1.0 });
        let read = read(&rules).expect("whole numbers");
        assert_eq!(
            (read.most, read.least, read.share, read.inner[0].most),
            (Some(7), -3, 2.0, Some(1000))
        );
        assert_eq!(read.any, json!(1.0), "what may be anything stays what it is");
        let kinds = [
            json!({ "Some": 1.0 }),
            json!({ "Many": { "count": 4e15 } }),
            json!("None"),
        ];
        let kinds = kinds.map(|kind| super::tests::read(&json!({ "kind": kind })).expect("a kind").kind);
        let wanted = [
            Kind::Some(1),
            Kind::Many {
                count: 4_000_000_000_000_000,
            },
            Kind::None,
        ];
        assert_eq!(kinds, wanted);
        for none in [
            json!({ "most": 1.5 }),
            json!({ "most": -1.0 }),
            json!({ "most": 1e300 }),
            json!({ "least": 200.0 }),
        ] {
            assert!(super::tests::read(&none).is_err(), "{none}");
        }
        let numbers = [json!(1), json!(1.0), json!(1.5), json!(-1.0), json!(1e300)];
        let wholes = numbers.map(|number| number.as_number().and_then(whole));
        assert_eq!(wholes, [Some(1), Some(1), None, None, None]);
    }

    #[test]
    fn arrays_are_no_objects() {
        for none in [
            json!([]),
            json!([7, 0, 0.0, [], null, "None"]),
            json!({ "inner": [[]] }),
            json!({ "kind": { "Many": [1] } }),
        ] {
            let error = read(&none).expect_err("an array").to_string();
            assert!(
                error.contains("invalid type: sequence, expected struct"),
                "{none}: {error}"
            );
        }
    }
}
