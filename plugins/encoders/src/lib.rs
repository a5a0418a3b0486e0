//! The encodings of the paper's section 5, for any search space of chains.
//!
//! | name | one layer | mobilenetv3 |
//! | --- | --- | --- |
//! | A | kernel, expansion, resolution / 100 | 40 x 3 |
//! | B | kernel one-hot, expansion one-hot; then the resolution's bucket | 256 |
//! | C | kernel and expansion one-hot together; then the resolution's bucket | 248 |
//! | D | every attribute one-hot, the resolution with every layer | 40 x 37 |
//!
//! Absent layers are zeros.
//!
//! `operators` gives the table of a network's operators, for regressors that know what an operator costs; `totals` what it adds up to.
//! `decisions` is what is chosen, in a space of any kind.

mod a;
mod b;
mod bucket;
mod c;
mod d;
mod decisions;
mod operators;
mod row;
mod totals;

lglp_sdk::export_plugin! {
    summary: "The paper's encodings A, B, C and D; decisions of any space; tables of operators, and their totals",
    encoders: [a::A, b::B, c::C, d::D, decisions::Decisions],
    operator_encoders: [operators::Operators, totals::Totals],
}
