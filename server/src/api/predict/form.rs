//! Reading the form that networks come in: parts by their names, files among them.

use actix_web::web::Bytes;
use futures_util::{FutureExt as _, stream};
use lglp_openapi::networks::NetworksRequest;
use lglp_sdk::Excerpt;
use multer::{Constraints, Field, Multipart, SizeLimit};

use super::super::problem::ApiError;
use super::fault::fault;
use super::limits::NETWORK_LIMIT;

const KNOWN: &str = "network, model, coverage, shape, unknown_operators";

/// Bytes of a part that is no file at most.
const TEXT_LIMIT: usize = 4 << 10;

/// Shapes of one request at most.
const SHAPE_LIMIT: usize = 64;

/// Bytes of a file's name at most, as of a path.
const NAME_LIMIT: usize = 4096;

/// The form, its parts read and not yet looked into: off the threads that answer requests, since it may have many megabytes of parts.
pub(super) fn read(body: Bytes, boundary: String) -> Result<NetworksRequest, ApiError> {
    // All of it is there, so that nothing is waited for.
    let read = parts(body, boundary).now_or_never();
    read.unwrap_or_else(|| Err(ApiError::internal("a form that is whole was waited for")))
}

async fn parts(body: Bytes, boundary: String) -> Result<NetworksRequest, ApiError> {
    let whole = stream::iter([Ok::<_, std::io::Error>(body)]);
    let limits = Constraints::new().size_limit(SizeLimit::new().per_field(u64::MAX));
    let mut parts = Multipart::with_constraints(whole, boundary, limits);
    let mut request = NetworksRequest::default();
    let mut refuse = None;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "network" => {
                if request.networks.len() == NETWORK_LIMIT {
                    let detail = format!("more than {NETWORK_LIMIT} networks; send the others in another request");
                    return Err(fault("/network", detail));
                }
                let at = request.networks.len();
                let file = part.file_name().map_or_else(|| format!("network {at}"), str::to_owned);
                if file.len() > NAME_LIMIT {
                    let detail = format!("{} bytes of a file's name; allowed: {NAME_LIMIT}", file.len());
                    return Err(fault(&format!("/network/{at}"), detail));
                }
                request
                    .networks
                    .push((file, part.bytes().await.map_err(malformed)?.into()));
            }
            "model" => once(&mut request.model, "model", text(part).await?)?,
            "coverage" => {
                let text = text(part).await?;
                let share = super::body::coverage(text.trim().parse().ok(), || Excerpt::of(&text).to_string())?;
                once(&mut request.coverage, "coverage", share)?;
            }
            "shape" if request.shapes.len() < SHAPE_LIMIT => request.shapes.push(text(part).await?),
            "shape" => return Err(fault("/shape", format!("more than {SHAPE_LIMIT} shapes"))),
            "unknown_operators" => {
                let wanted = match text(part).await?.trim() {
                    "predict" => false,
                    "refuse" => true,
                    other => {
                        let detail = format!("{}; allowed: predict, refuse", Excerpt::of(other));
                        return Err(fault("/unknown_operators", detail));
                    }
                };
                once(&mut refuse, "unknown_operators", wanted)?;
            }
            unknown => {
                let unknown = Excerpt::of(unknown);
                return Err(fault("", format!("unknown part `{unknown}`; known: {KNOWN}")));
            }
        }
    }
    request.refuse_unknown = refuse.unwrap_or_default();
    Ok(request)
}

async fn text(part: Field<'_>) -> Result<String, ApiError> {
    let pointer = format!("/{}", part.name().unwrap_or_default());
    let bytes = part.bytes().await.map_err(malformed)?;
    if bytes.len() > TEXT_LIMIT {
        return Err(fault(
            &pointer,
            format!("{} bytes of text; allowed: {TEXT_LIMIT}", bytes.len()),
        ));
    }
    String::from_utf8(bytes.into()).map_err(|_| fault(&pointer, "it is not UTF-8".into()))
}

fn once<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), ApiError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(fault(&format!("/{name}"), format!("the part `{name}` comes twice"))),
    }
}

fn malformed(error: multer::Error) -> ApiError {
    fault("", format!("the form is not readable: {}", Excerpt::of(error)))
}
