//! The ways of writing a chain: readable JSON, the Once-for-All form, canonical text.
//!
//! Every form is read into a `Draft`, checked there against the space, and errors name their place as a JSON pointer.

pub(super) mod direct;
mod draft;
pub(super) mod ofa;
pub(super) mod readable;
mod rows;
pub(super) mod text;

pub(super) use rows::check_row;
