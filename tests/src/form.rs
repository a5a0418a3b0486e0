//! Forms of several parts, as `curl -F` sends them.

use serde_json::Value;

use crate::Server;

const BOUNDARY: &str = "a-line-between-parts";

/// A part: its name, the name of its file where it is one, and what it holds.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// The content type of a form.
pub fn content_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// A form of some parts.
pub fn written(parts: &[Part<'_>]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        form.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes(),
        );
        form.extend_from_slice(content);
        form.extend(b"\r\n");
    }
    form.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    form
}

impl Server {
    /// Status and body of a POST of a form.
    pub fn post_form(&self, path: &str, parts: &[Part<'_>]) -> (u16, Value) {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("Content-Type", content_type());
        let Ok(mut response) = request.send(&written(parts)[..]) else {
            return (0, Value::Null);
        };
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), value)
    }
}
