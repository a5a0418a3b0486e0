//! The fields of a body as texts, the architectures one by one: no tree of all values is ever in memory.

use std::fmt;

use lglp_sdk::plain_json::{Scanner, once};
use lglp_sdk::strict;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::body::malformed;
use super::super::problem::ApiError;
use super::fault::fault;
use super::limits::BATCH_LIMIT;

/// The fields of the body, as text.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) space: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) architectures: Option<Given<'a>>,
    pub(super) coverage: Option<&'a str>,
    pub(super) on_error: Option<&'a str>,
    /// A field that means nothing.
    pub(super) unknown: Option<String>,
    /// A field that comes twice: which of the two is meant, nobody can tell.
    pub(super) repeated: Option<&'static str>,
}

impl<'a> Fields<'a> {
    /// Reads them. Where `is_json` is false then, brackets and strings were told apart and no more: each text is JSON if the body is, which
    /// nobody has looked at.
    pub(super) fn read(body: &'a [u8]) -> Result<(Self, bool), ApiError> {
        match Self::plain(body) {
            Some(fields) => Ok((fields, false)),
            None => Ok((Self::whole(body)?, true)),
        }
    }

    /// As most bodies are; `None` for any other, and where one is faulty.
    fn plain(body: &'a [u8]) -> Option<Self> {
        let mut fields = Self::default();
        let mut scanner = Scanner::new(body);
        scanner.object(|scanner, name| {
            if name == b"architectures" {
                let mut first = Vec::new();
                let count = scanner.array(|scanner, at| {
                    first.push(std::str::from_utf8(scanner.value()?).ok()?);
                    (at < BATCH_LIMIT).then_some(())
                })?;
                return once(&mut fields.architectures, Given::Array { first, count });
            }
            let field = match name {
                b"space" => &mut fields.space,
                b"model" => &mut fields.model,
                b"coverage" => &mut fields.coverage,
                b"on_error" => &mut fields.on_error,
                _ => return None,
            };
            let text = std::str::from_utf8(scanner.value()?).ok()?;
            // What is no JSON is found at once in what is short.
            serde_json::from_str::<IgnoredAny>(text).ok()?;
            once(field, text)
        })?;
        scanner.end()?;
        Some(fields)
    }

    fn whole(body: &'a [u8]) -> Result<Self, ApiError> {
        let body = strict::without_mark(body);
        serde_json::from_slice(body).map_err(|error| {
            // What is no object is refused without looking further: it may be no JSON either.
            let error = match serde_json::from_slice::<IgnoredAny>(body) {
                Ok(_) if error.is_data() => return fault("", "expected an object with `architectures`".into()),
                Ok(_) => error,
                Err(error) => error,
            };
            malformed(body, &error)
        })
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Fields::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "architectures" {
                        if fields.architectures.replace(map.next_value()?).is_some() {
                            fields.repeated.get_or_insert("architectures");
                        }
                        continue;
                    }
                    let (known, field) = match name.as_str() {
                        "space" => ("space", &mut fields.space),
                        "model" => ("model", &mut fields.model),
                        "coverage" => ("coverage", &mut fields.coverage),
                        "on_error" => ("on_error", &mut fields.on_error),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            fields.unknown.get_or_insert(name);
                            continue;
                        }
                    };
                    if field.replace(map.next_value::<&RawValue>()?.get()).is_some() {
                        fields.repeated.get_or_insert(known);
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// What is given as the architectures: of an array, the elements that a request may have, and how many there are.
pub(super) enum Given<'a> {
    Array { first: Vec<&'a str>, count: usize },
    Other,
}

impl<'de> Deserialize<'de> for Given<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        macro_rules! other {
            ($($method:ident: $type:ty)*) => {
                $(fn $method<E>(self, _: $type) -> Result<Given<'de>, E> {
                    Ok(Given::Other)
                })*
            };
        }

        impl<'de> Visitor<'de> for Reader {
            type Value = Given<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            other!(visit_bool: bool visit_i64: i64 visit_u64: u64 visit_f64: f64 visit_str: &str);

            fn visit_unit<E>(self) -> Result<Given<'de>, E> {
                Ok(Given::Other)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Given<'de>, M::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Given::Other)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Given<'de>, S::Error> {
                let mut first = Vec::new();
                while first.len() < BATCH_LIMIT {
                    match seq.next_element::<&RawValue>()? {
                        Some(element) => first.push(element.get()),
                        None => break,
                    }
                }
                let mut count = first.len();
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Given::Array { first, count })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
