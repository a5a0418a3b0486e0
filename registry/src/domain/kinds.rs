//! The kinds of change, by the words that stand for them in JSON.

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::value::MapDeserializer;

use crate::Change;

impl Change {
    /// Every kind: `hardware_created`, `alias_moved`, ...
    pub fn kinds() -> &'static [&'static str] {
        // serde alone knows the words; it lists them where it meets one that is none of them.
        static KINDS: LazyLock<&'static [&'static str]> = LazyLock::new(|| {
            let unknown = MapDeserializer::<_, Expected>::new([("kind", "")].into_iter());
            Change::deserialize(unknown).map_or_else(|Expected(kinds)| kinds, |_| &[])
        });
        &KINDS
    }

    /// Its own kind.
    pub fn kind(&self) -> &'static str {
        let json = serde_json::to_value(self);
        let own = json
            .as_ref()
            .ok()
            .and_then(|json| json["kind"].as_str())
            .unwrap_or_default();
        Self::kinds()
            .iter()
            .find(|kind| **kind == own)
            .copied()
            .unwrap_or_default()
    }
}

/// The variants that an unknown one was compared with.
#[derive(Debug)]
struct Expected(&'static [&'static str]);

impl serde::de::Error for Expected {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {}", self.0.join(", "))
    }
}

impl std::error::Error for Expected {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known() {
        let kinds = Change::kinds();
        assert_eq!(kinds[0], "hardware_created");
        assert!(
            kinds.contains(&"alias_moved") && kinds.contains(&"webhook_deleted"),
            "{kinds:?}"
        );
    }
}
