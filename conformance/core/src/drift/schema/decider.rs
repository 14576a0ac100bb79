//! What is known while the differences of all pairs are judged.

use std::cell::RefCell;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};

use super::super::meaning::Meaning;
use super::compare::{Root, Walk};
use super::differences::Difference;
use super::group::Groups;
use super::trials::Trials;
use super::users::{self, Senders};
use super::vacant::Vacancy;
use super::view::View;
use super::within::Union;
use crate::finding::{Sender, Side};

/// What the judgment of one difference, see [`super::decide`], leaves for that of others.
pub(super) struct Decider<'d, 'w, 'a> {
    pub(super) walk: &'d Walk<'w>,
    pub(super) roots: &'d [Root<'w>],
    pub(super) meaning: &'d Meaning<'a>,
    pub(super) trials: Trials<'d, 'a>,
    pub(super) groups: Groups<'d>,
    /// Whether the old schema is included in the new one, and the reverse.
    pub(super) relations: RefCell<HashMap<(usize, Sender), (bool, bool)>>,
    /// Whether an alternative excludes the others, by the pair that has them.
    pub(super) apart: RefCell<HashMap<(usize, Side, String), bool>>,
    /// The alternatives of pairs, by their keyword.
    pub(super) unions: RefCell<HashMap<(usize, Side, String), Rc<Union>>>,
    pub(super) equal: Vec<bool>,
    /// The differences that are findings by themselves.
    pub(super) told: HashSet<(usize, *const Difference)>,
    senders: Vec<Senders>,
    /// Which places no value of each document comes to.
    pub(super) vacant: (Vacancy<'d, 'w>, Vacancy<'d, 'w>),
}

impl<'d, 'w, 'a> Decider<'d, 'w, 'a> {
    pub(super) fn new(walk: &'d Walk<'w>, roots: &'d [Root<'w>], meaning: &'d Meaning<'a>) -> Self {
        Self {
            walk,
            roots,
            meaning,
            trials: Trials::new(meaning),
            groups: Groups::default(),
            relations: RefCell::default(),
            apart: RefCell::default(),
            unions: RefCell::default(),
            equal: vec![false; walk.pairs.len()],
            told: HashSet::default(),
            senders: users::senders(walk, roots),
            vacant: (
                Vacancy::new(&walk.sides.old, meaning.is_flagged()),
                Vacancy::new(&walk.sides.new, meaning.is_flagged()),
            ),
        }
    }

    pub(super) fn views(&self, id: usize) -> (&'d View, &'d View) {
        self.walk.views(id)
    }

    pub(super) fn at(&self, id: usize) -> (&'d str, &'d str) {
        let pair = &self.walk.pairs[id];
        (&pair.old, &pair.new)
    }

    /// Returns the senders of a pair's values.
    pub(super) fn senders(&self, id: usize) -> impl Iterator<Item = Sender> + use<> {
        let senders = self.senders[id];
        [Sender::Client, Sender::Server]
            .into_iter()
            .filter(move |sender| senders[*sender as usize])
    }
}
