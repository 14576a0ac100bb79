//! Comparing schemas to the last keyword.
//!
//! [`fold`] writes equivalent spellings in one way, as a [`view`]; [`graph`] follows all references and finds out which schemas are
//! equal, also through cycles; [`compare`] walks the pairs that are not, and enters the [`differences`].

mod compare;
mod differences;
mod fold;
mod graph;
mod keyword;
mod matching;
mod view;

pub(super) use compare::Schemas;
