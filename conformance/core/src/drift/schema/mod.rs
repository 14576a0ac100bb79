//! Comparing schemas to the last keyword.
//!
//! - Pairing: [`compare`] walks the pairs of schemas that are not written identically, [`matching`] finds the partners of
//!   alternatives, and [`unchanged`] skips what is identical in itself; [`fold`] writes equivalent spellings in one way, as a [`view`] of
//!   what [`side`] is asked for.
//! - Differences: [`differences`], with [`types`], [`sets`], [`bounds`], [`bytes`], [`alternatives`] and [`replaced`], says what differs,
//!   as data and as an edit of the old schema.
//! - Deciding: [`decide`] judges each edit by itself, at the [`spot`] that a whole value has to meet, from [`trials`] of values, with a
//!   [`verdict`], and in the alternative that it is [`within`] where the others exclude that; [`proofs`] where no value tells, with
//!   [`structure`], [`effect`] and its [`propagation`], [`inclusion`] and [`reach`].
//!   [`vacant`] and [`nothing`] say where no value comes, [`sent`] which members are sent at all, [`texts`] what patterns and lengths allow
//!   together, [`unreadable`] where patterns keep values from telling. [`together`] finds what no difference of a [`group`] does alone,
//!   [`shown`] the value that proves it. What they share is in the [`decider`].
//! - Entering: [`enter`], for all [`users`] of the place.

mod alternatives;
mod bounds;
mod bytes;
mod compare;
mod decide;
mod decider;
mod differences;
mod effect;
mod enter;
mod fold;
mod group;
mod inclusion;
mod keyword;
mod matching;
mod merge;
mod nothing;
mod overlap;
mod proofs;
mod propagation;
mod range;
mod reach;
mod replaced;
mod sent;
mod sets;
mod shown;
mod side;
mod spot;
mod structure;
mod texts;
mod together;
mod told;
mod trials;
mod types;
mod unchanged;
mod unreadable;
mod users;
mod vacant;
mod verdict;
mod view;
mod ways;
mod within;

pub(super) use compare::Schemas;
pub(super) use keyword::is_own_dialect;
