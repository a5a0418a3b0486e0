//! Values as people paste them: JSON, or what Python prints of the same thing.

use serde_json::{Error, Result, Value};

use crate::strict;

/// Whether a text is meant as a value with brackets or quotes, and not as a bare word.
pub fn is_meant(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '(', '"', '\''])
}

/// Reads JSON, or a Python literal: single quotes, `None`, `True`, `False`, tuples, and commas before the end of a list. A field that
/// comes twice is a fault.
///
/// # Errors
/// Those of JSON; lines and columns are those of the text, whichever of the two it is.
pub fn read(text: &str) -> Result<Value> {
    strict::from_slice(text.as_bytes()).or_else(|error| match as_json(text) {
        Some(json) => strict::from_slice(json.as_bytes()),
        None => Err(error),
    })
}

/// What a fault in a JSON text says, with advice where it begins with a word or mark of Python.
pub fn fault(text: &[u8], error: &Error) -> String {
    let line = text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1));
    let rest = line.and_then(|line| line.get(error.column().saturating_sub(1)..));
    let marks: [&[u8]; 5] = [b"'", b"(", b"None", b"True", b"False"];
    let is_python = error.is_syntax() && marks.iter().any(|mark| rest.is_some_and(|rest| rest.starts_with(mark)));
    match is_python {
        true => format!("{error}; that is how Python prints a value, and json.dumps writes it as JSON"),
        false => error.to_string(),
    }
}

/// What a fault in one line of a file says, that line's number being told elsewhere: `column 7: expected value`.
pub fn fault_in_line(line: &[u8], error: &Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    format!(
        "column {}: {}",
        error.column(),
        fault(line, error).replacen(&place, "", 1)
    )
}

/// The JSON that says what a Python literal says, each byte at the place where it was, so that errors point into the literal; only
/// quotes inside of single quotes move what follows. `None` where there is nothing of Python's in it.
fn as_json(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len());
    let mut open: Vec<Bracket> = Vec::new();
    // The last character that was no space.
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '"' | '\'' => {
                length = quoted(rest);
                requote(&rest[..length], &mut json);
            }
            '(' | '[' | '{' => {
                let is_tuple = c == '(';
                open.push(Bracket {
                    at: json.len(),
                    is_tuple,
                    has_comma: false,
                });
                json.push(if is_tuple { '[' } else { c });
            }
            ')' | ']' | '}' => {
                let end = closed(c, before, open.pop(), &mut json);
                json.push(end);
            }
            ',' => {
                if let Some(bracket) = open.last_mut() {
                    bracket.has_comma = true;
                }
                let is_last = rest[1..].trim_start().starts_with([')', ']', '}']);
                let follows_a_value = !matches!(before, ' ' | ',' | '(' | '[' | '{' | ':');
                json.push(if is_last && follows_a_value { ' ' } else { ',' });
            }
            _ if c.is_ascii_alphabetic() => {
                length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                json.push_str(match &rest[..length] {
                    "None" => "null",
                    "True" => "true",
                    "False" => "false",
                    other => other,
                });
            }
            _ => json.push(c),
        }
        if !c.is_whitespace() {
            before = c;
        }
        rest = &rest[length..];
    }
    (json != text).then_some(json)
}

/// A bracket that is open: where, and what is known of its content.
struct Bracket {
    at: usize,
    is_tuple: bool,
    has_comma: bool,
}

/// What stands in JSON for a closing bracket. Round ones without a comma inside make no tuple; they are only around a value.
fn closed(c: char, before: char, opened: Option<Bracket>, json: &mut String) -> char {
    match opened {
        Some(bracket) if bracket.is_tuple && c == ')' => {
            if bracket.has_comma || before == '(' {
                return ']';
            }
            json.replace_range(bracket.at..=bracket.at, " ");
            ' '
        }
        // What does not match is left to be refused.
        Some(bracket) if bracket.is_tuple => ')',
        _ => c,
    }
}

/// Bytes of the string that a text begins with, its quotes included; all of it where the string does not end.
fn quoted(text: &str) -> usize {
    let mark = text.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Writes a string with double quotes.
fn requote(text: &str, json: &mut String) {
    let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) else {
        return json.push_str(text);
    };
    json.push('"');
    json.push_str(&inner.replace("\\'", "'").replace('"', "\\\""));
    json.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn python_says_what_json_says() {
        let expected = json!({ "ks": [3, 5], "r": [224], "wid": null, "se": [true, false], "it's": "a \"b\" (c,)" });
        for text in [
            r#"{"ks": [3, 5], "r": [224], "wid": null, "se": [true, false], "it's": "a \"b\" (c,)"}"#,
            r#"{'ks': (3, 5), 'r': (224,), 'wid': None, 'se': [True, False], "it's": 'a "b" (c,)'}"#,
            "{\n  'ks': [(3), 5,],\n 'r': [224, ], 'wid': (None), 'se': (True, False,), 'it\\'s': 'a \"b\" (c,)', }",
        ] {
            assert_eq!(read(text).expect(text), expected, "{text}");
        }
        assert_eq!(read("()").expect("an empty tuple"), json!([]));
        assert_eq!(read("'k3e4'").expect("a string"), json!("k3e4"));
    }

    #[test]
    fn what_is_neither_is_refused_at_its_place() {
        for (text, column) in [
            ("{'a': [1, 2, 'b' 3]}", 18),
            ("{'a': None, 'b': x.int64(3)}", 18),
            ("{'a': (1, 2]}", 12),
            ("{'a': [1, 2)}", 12),
            ("{'a': [,]}", 8),
            ("{'a': [1,,]}", 10),
            ("{'a': 1, 'a': 2}", 12),
            ("{'a': nan}", 8),
            ("{\"a\": [1 2]}", 10),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!((error.line(), error.column()), (1, column), "{text}: {error}");
        }
        for open in ["{'a", "'", "(", "[1, (2, 3", "\"\\", ","] {
            assert!(read(open).is_err(), "{open}");
        }
    }

    #[test]
    fn faults_of_json_name_python_where_it_is_meant() {
        let said = |text: &str| {
            fault(
                text.as_bytes(),
                &strict::from_slice::<Value>(text.as_bytes()).expect_err(text),
            )
        };
        for python in ["{'a': 1}", "{\n\"a\": None}", "[True]", "[1, (2, 3)]"] {
            assert!(said(python).contains("json.dumps"), "{python}: {}", said(python));
        }
        for other in ["{\"a\" 1}", "[nan]", "[1, 2,]", "", "[1"] {
            assert!(!said(other).contains("Python"), "{other}: {}", said(other));
        }
        let line = "{\"a\": [1 2]}";
        let error = strict::from_slice::<Value>(line.as_bytes()).expect_err("no JSON");
        assert_eq!(fault_in_line(line.as_bytes(), &error), "column 10: expected `,` or `]`");
    }
}
