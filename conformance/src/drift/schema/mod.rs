//! Comparing schemas to the last keyword.
//!
//! [`compare`] walks the pairs of schemas that do not say the same in the same words and collects the [`differences`]; [`fold`]
//! writes equivalent spellings in one way, as a [`view`], of what [`side`] is asked for; [`decide`] finds out what each difference
//! does to values, and enters it for all its [`users`].

mod alternatives;
mod compare;
mod decide;
mod differences;
mod effect;
mod fold;
mod inclusion;
mod keyword;
mod matching;
mod side;
mod users;
mod view;
mod ways;

pub(super) use compare::Schemas;
