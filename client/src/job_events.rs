//! Following a job of a server: its server-sent events.

use lglp_registry::Job;

use super::{ClientError, Http};

/// The snapshots of a job as they come; the last is the one that ended it, unless the server went away.
pub fn follow(http: &Http, id: u64) -> Result<impl Iterator<Item = Result<Job, ClientError>> + use<>, ClientError> {
    let path = format!("/v1/jobs/{id}/events");
    let lines = http.lines(&path)?;
    Ok(lines.filter_map(move |line| {
        let line = match line {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        let data = line.strip_prefix("data:")?;
        Some(serde_json::from_str(data).map_err(|e| ClientError::Transport {
            url: path.clone(),
            reason: e.to_string(),
        }))
    }))
}
