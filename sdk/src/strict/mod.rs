//! JSON as JSON Schema, and so the contract, means it, where serde means something else: 1.0 is an integer, and an array is no
//! object, whatever the order of its fields. A field that comes twice is a fault: which of the two is meant, nobody can tell. So is a
//! field that nobody knows, where it is asked for: a misspelt one would be left out in silence.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use crate::Excerpt;

/// Integers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that a JSON number is, where it is one that is not negative.
pub fn whole(number: &serde_json::Number) -> Option<u64> {
    let float = || number.as_f64().filter(|float| is_whole(*float) && *float >= 0.0);
    number.as_u64().or_else(|| Some(float()? as u64))
}

/// The digits of a whole number that is written with a fraction of nothing, `3` for `3.0`; any other text as it is.
pub fn plain(text: &str) -> &str {
    match text.split_once('.') {
        Some((digits, zeros)) if is_digits(digits) && is_digits(zeros) && zeros.bytes().all(|byte| byte == b'0') => {
            digits
        }
        _ => text,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_whole(float: f64) -> bool {
    float.fract() == 0.0 && float.abs() <= EXACT
}

/// A text without the mark that some programs begin a file of UTF-8 with.
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// A JSON text as a value.
///
/// # Errors
/// Those of `serde_json`, and of what is read here otherwise than by serde.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Strict::new(&mut json))?;
    json.end().map(|()| value)
}

/// A JSON text as a value, each of whose fields its type knows.
///
/// # Errors
/// As for [`from_slice`], and for a field that is not known.
pub fn closed_from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Strict::closed(&mut json))?;
    json.end().map(|()| value)
}

/// A TOML text as a value, by the same rules: a file's author who writes 3.0 means 3.
///
/// # Errors
/// Those of `toml`, and of what is read here otherwise than by serde.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, toml::de::Error> {
    T::deserialize(Strict::new(toml::Deserializer::parse(text)?))
}

/// Reads from another deserializer. It serves as seed, too, and as access to what is inside.
pub struct Strict<D> {
    inner: D,
    closed: bool,
}

impl<D> Strict<D> {
    /// Leaves it to each type whether there may be fields that it does not know.
    pub const fn new(inner: D) -> Self {
        let closed = false;
        Self { inner, closed }
    }

    /// Refuses fields that a type does not know, whatever the type says of them: the same type may be read from records, which
    /// others have written. It knows nothing of what serde flattens.
    pub const fn closed(inner: D) -> Self {
        let closed = true;
        Self { inner, closed }
    }
}

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
    closed: bool,
    /// The fields of what is read, where no others may come.
    known: Option<&'static [&'static str]>,
}

macro_rules! asks_for {
    ($wanted:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let reader = Reader { wanted: Wanted::$wanted, ..self.reader(visitor) };
            self.inner.$method(reader)
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
        let reader = self.reader(visitor);
        self.inner.deserialize_unit_struct(name, reader)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let reader = self.reader(visitor);
        self.inner.deserialize_newtype_struct(name, reader)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        let reader = self.reader(visitor);
        self.inner.deserialize_tuple(length, reader)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let reader = self.reader(visitor);
        self.inner.deserialize_tuple_struct(name, length, reader)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let reader = self.object(fields, visitor);
        self.inner.deserialize_struct(name, fields, reader)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let reader = self.reader(visitor);
        self.inner.deserialize_enum(name, variants, reader)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<D> Strict<D> {
    const fn reader<V>(&self, visitor: V) -> Reader<V> {
        Reader {
            visitor,
            wanted: Wanted::Anything,
            closed: self.closed,
            known: None,
        }
    }

    fn object<V>(&self, fields: &'static [&'static str], visitor: V) -> Reader<V> {
        Reader {
            wanted: Wanted::Object,
            known: self.closed.then_some(fields),
            ..self.reader(visitor)
        }
    }

    /// The same of what is inside.
    fn of<I>(&self, inner: I) -> Strict<I> {
        Strict {
            inner,
            closed: self.closed,
        }
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
        let closed = self.closed;
        self.visitor.visit_some(Strict { inner, closed })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let closed = self.closed;
        self.visitor.visit_newtype_struct(Strict { inner, closed })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if self.wanted == Wanted::Object {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self.visitor));
        }
        let (inner, closed) = (items, self.closed);
        self.visitor.visit_seq(Strict { inner, closed })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Entries {
            entries,
            seen: BTreeSet::new(),
            closed: self.closed,
            known: self.known,
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let (inner, closed) = (variant, self.closed);
        self.visitor.visit_enum(Strict { inner, closed })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let inner = self.of(inner);
        self.inner.deserialize(inner)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.of(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The fields of an object, and the names of those that came.
struct Entries<A> {
    entries: A,
    seen: BTreeSet<String>,
    closed: bool,
    known: Option<&'static [&'static str]>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(name) = self.entries.next_key::<String>()? else {
            return Ok(None);
        };
        if self.seen.contains(&name) {
            return Err(A::Error::custom(format_args!(
                "duplicate field `{}`",
                Excerpt::of(&name)
            )));
        }
        // First, so that whoever follows the path knows of which field the error is.
        let key = seed.deserialize(name.as_str().into_deserializer())?;
        if let Some(known) = self.known
            && !known.contains(&name.as_str())
        {
            return Err(A::Error::unknown_field(&Excerpt::of(&name).to_string(), known));
        }
        self.seen.insert(name);
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let (inner, closed) = (seed, self.closed);
        self.entries.next_value_seed(Strict { inner, closed })
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let closed = self.closed;
        let (name, inner) = self.inner.variant_seed(seed)?;
        Ok((name, Strict { inner, closed }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.of(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let reader = self.reader(visitor);
        self.inner.tuple_variant(length, reader)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let reader = self.object(fields, visitor);
        self.inner.struct_variant(fields, reader)
    }
}
