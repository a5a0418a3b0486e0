//! The form that networks are sent in (RFC 7578).

use lglp_openapi::networks::NetworksRequest;
use rand::Rng;

/// A form, ready to be sent.
pub(super) struct Form {
    /// With the boundary between its parts.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Form {
    pub(super) fn of(request: NetworksRequest) -> Self {
        // No file holds it by chance.
        let boundary = format!("lglp-{:032x}", rand::rng().random::<u128>());
        let mut body = Vec::new();
        let mut part = |name: &str, file: Option<&str>, content: &[u8]| {
            let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
            if let Some(file) = file {
                head += &format!(
                    "; filename=\"{}\"\r\nContent-Type: application/octet-stream",
                    escaped(file)
                );
            }
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        if let Some(model) = request.model {
            part("model", None, model.as_bytes());
        }
        if let Some(coverage) = request.coverage {
            part("coverage", None, coverage.to_string().as_bytes());
        }
        for shape in request.shapes {
            part("shape", None, shape.as_bytes());
        }
        if request.refuse_unknown {
            part("unknown_operators", None, b"refuse");
        }
        for (name, onnx) in request.networks {
            part("network", Some(&name), &onnx);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body,
        }
    }
}

/// A file's name as browsers write it there: what would end it, or the line, in percent.
fn escaped(name: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\0'..='\x1f' | '\x7f' => format!("%{:02X}", u32::from(c)),
        other => other.to_string(),
    };
    name.chars().map(escaped).collect()
}
