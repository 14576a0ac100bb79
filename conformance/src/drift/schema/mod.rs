//! Comparing schemas to the last keyword.
//!
//! [`fold`] writes equivalent spellings in one way, as a [`view`]; [`graph`] follows all references and finds out which schemas are
//! equal, also through cycles; [`compare`] walks the pairs that are not and
//! collects the [`differences`]; [`decide`] finds out what each of them does to values, and enters it.

mod compare;
mod decide;
mod differences;
mod effect;
mod fold;
mod graph;
mod keyword;
mod matching;
mod view;

pub(super) use compare::Schemas;
