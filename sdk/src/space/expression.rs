//! Numbers of a definition that depend on decisions: sums of products, such as `2 + depth` and `in * expansion`.

use serde::{Deserialize, Serialize};

/// What expressions of a step call the channels, or features, that go into it.
pub const INPUT: &str = "in";

/// A number, or a sum of products of numbers and names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Expression {
    written: Written,
    /// Each a product.
    terms: Vec<Vec<Factor>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number that is not negative, or a sum of products of numbers and names, such as \"2 + depth\""
)]
enum Written {
    Whole(u32),
    Real(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Factor {
    Number(f64),
    Name(String),
}

impl TryFrom<Written> for Expression {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let terms = match &written {
            Written::Whole(number) => vec![vec![Factor::Number(f64::from(*number))]],
            Written::Real(number) => vec![vec![Factor::Number(*number)]],
            Written::Text(text) => parsed(text)?,
        };
        Ok(Self { written, terms })
    }
}

impl From<Expression> for Written {
    fn from(expression: Expression) -> Self {
        expression.written
    }
}

fn parsed(text: &str) -> Result<Vec<Vec<Factor>>, String> {
    let factor = |word: &str| {
        let word = word.trim();
        match word.parse::<f64>() {
            Ok(number) if word.starts_with(|c: char| c.is_ascii_digit()) => Ok(Factor::Number(number)),
            _ if is_name(word) => Ok(Factor::Name(word.to_owned())),
            _ => Err(format!(
                "{text:?} is no sum of products of numbers and names, such as \"2 + depth\" or \"in * expansion\""
            )),
        }
    };
    let product = |term: &str| term.split('*').map(factor).collect();
    text.split('+').map(product).collect()
}

/// Whether a text may name a decision or a parameter: letters, digits, `_` and `.`, after a letter; `$` stands for a number.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.$".contains(&b);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_allowed)
}

impl Expression {
    fn whole(number: u32) -> Self {
        Written::Whole(number).try_into().expect("a number is an expression")
    }

    /// The number 1, in the place of what a definition leaves out.
    pub(super) fn one() -> Self {
        Self::whole(1)
    }

    /// The channels of an image in colour.
    pub(super) fn three() -> Self {
        Self::whole(3)
    }

    /// As many as go into a step.
    pub(super) fn same() -> Self {
        Written::Text(INPUT.to_owned())
            .try_into()
            .expect("a name is an expression")
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().flatten().filter_map(|factor| match factor {
            Factor::Name(name) => Some(name.as_str()),
            Factor::Number(_) => None,
        })
    }

    /// Its value, where `of` tells the number of each name.
    ///
    /// # Errors
    /// Those of `of`.
    pub fn value<E>(&self, of: &dyn Fn(&str) -> Result<f64, E>) -> Result<f64, E> {
        let mut sum = 0.0;
        for product in &self.terms {
            let mut value = 1.0;
            for factor in product {
                value *= match factor {
                    Factor::Number(number) => *number,
                    Factor::Name(name) => of(name)?,
                };
            }
            sum += value;
        }
        Ok(sum)
    }
}
