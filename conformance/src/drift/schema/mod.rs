//! Comparing schemas to the last keyword.
//!
//! - Pairing: [`compare`] walks the pairs of schemas that do not say the same in the same words, [`matching`] finds the partners of
//!   alternatives; [`fold`] writes equivalent spellings in one way, as a [`view`] of what [`side`] is asked for.
//! - Differences: [`differences`], with [`types`], [`sets`], [`bounds`] and [`alternatives`], says what differs, as data and as an edit
//!   of the old schema.
//! - Deciding: [`decide`] judges each edit by itself, with [`effect`], [`inclusion`] and [`reach`] where no value tells; [`together`] finds what
//!   none of them does alone, [`shown`] the value that proves it.
//! - Entering: for all [`users`] of the place.

mod alternatives;
mod bounds;
mod compare;
mod decide;
mod differences;
mod effect;
mod fold;
mod inclusion;
mod keyword;
mod matching;
mod merge;
mod reach;
mod sets;
mod shown;
mod side;
mod together;
mod told;
mod types;
mod users;
mod vacant;
mod view;
mod ways;

pub(super) use compare::Schemas;
