//! The architectures of a request, as they were sent.

use actix_web::web::Bytes;
use lglp_engine::spaces::Spaces;
use lglp_sdk::{Architecture, SearchSpace};

use super::super::problem::ApiError;
use super::fault::fault;
use super::limits::BATCH_LIMIT;
use super::texts::Texts;

/// Bytes of one architecture as text at most: the largest take some kilobytes.
const ARCHITECTURE_LIMIT: usize = 64 << 10;

/// Architectures, not read yet.
pub(super) enum Source {
    /// Items of a JSON array.
    Texts(Texts),
    /// One row after the other, of as many bytes as the model's space has columns.
    Rows(Bytes),
}

/// Why an architecture is none: where in it, and what.
pub(super) struct Faulty {
    pub(super) place: String,
    pub(super) detail: String,
}

impl Source {
    /// How many there are.
    ///
    /// # Errors
    /// Where rows are not whole, or there are too many or none. Of texts that was seen before.
    pub(super) fn count(&self, space: &SearchSpace) -> Result<usize, ApiError> {
        let rows = match self {
            Self::Texts(texts) => return Ok(texts.len()),
            Self::Rows(rows) => rows,
        };
        let (name, of_row) = (space.name(), space.row_len());
        if !rows.len().is_multiple_of(of_row) {
            let detail = format!(
                "{} bytes are no whole rows of the space `{name}`, which have {of_row}",
                rows.len()
            );
            return Err(fault("", detail));
        }
        let count = rows.len() / of_row;
        if count == 0 || count > BATCH_LIMIT {
            return Err(fault(
                "",
                format!("{count} rows; allowed: 1 to {BATCH_LIMIT} per request"),
            ));
        }
        Ok(count)
    }

    /// Reads one.
    ///
    /// # Errors
    /// Where the body as a whole is not what it is said to be.
    pub(super) fn read(
        &self,
        at: usize,
        space: &SearchSpace,
        spaces: &Spaces,
    ) -> Result<Result<Architecture, Faulty>, ApiError> {
        let read = match self {
            Self::Rows(rows) => {
                let row = &rows[at * space.row_len()..][..space.row_len()];
                return Ok(space.architecture_from_row(row).map_err(Faulty::from));
            }
            Self::Texts(texts) => match texts.text(at) {
                text if text.len() > ARCHITECTURE_LIMIT => Err(Faulty {
                    place: String::new(),
                    detail: format!(
                        "{} bytes of text; allowed: {ARCHITECTURE_LIMIT} per architecture",
                        text.len()
                    ),
                }),
                text => spaces.architecture_from_slice(space, text).map_err(Faulty::from),
            },
        };
        if let (Err(_), Self::Texts(texts)) = (&read, self) {
            texts.check()?;
        }
        Ok(read)
    }
}

impl From<lglp_sdk::ArchitectureError> for Faulty {
    fn from(error: lglp_sdk::ArchitectureError) -> Self {
        Self {
            place: error.pointer,
            detail: error.message,
        }
    }
}
