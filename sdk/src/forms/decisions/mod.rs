//! The ways of writing an architecture of a space of decisions: an object of them, canonical text, and the forms that the space defines.

mod draft;
mod lists;
mod readable;
mod template;
mod text;

pub(crate) use draft::check_row;
pub(super) use lists::matching;
pub(super) use readable::{read, write};
pub(crate) use template::template;
pub(super) use text::{read as read_text, write as write_text};
