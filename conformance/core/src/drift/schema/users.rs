//! The users of two schemas: the bodies and parameters that they are part of, and the components on the way.

use foldhash::HashSet;

use super::super::users::{Subjects, TREE, User, holder, own};
use super::compare::{From, Root, Walk};
use crate::document::pointer;
use crate::finding::{Sender, Use};

/// How many steps are taken in one comparison to find users. Real documents take fewer; beyond it users are missing.
const STEPS: usize = 50_000_000;

/// How many bodies and parameters of one subject are named.
const USES: usize = 4;

/// Whether clients and servers send values of a pair, by [`crate::finding::Sender`].
pub(super) type Senders = [bool; 2];

/// The senders of the values of each pair.
pub(super) fn senders(walk: &Walk<'_>, roots: &[Root<'_>]) -> Vec<Senders> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); walk.pairs.len()];
    let mut open = Vec::new();
    for (id, pair) in walk.pairs.iter().enumerate() {
        for from in &pair.from {
            match from {
                From::Root(root) => open.push((id, roots[*root].sender)),
                From::Pair(around, ..) => below[*around].push(id),
            }
        }
    }
    let mut all = vec![Senders::default(); walk.pairs.len()];
    while let Some((id, sender)) = open.pop() {
        if !std::mem::replace(&mut all[id][sender as usize], true) {
            open.extend(below[id].iter().map(|below| (*below, sender)));
        }
    }
    all
}

/// All users, and those of them that are named.
pub(super) type Found = (Subjects, Vec<User>);

/// Walks from pairs outwards, again and again.
pub(super) struct Search<'s, 'w> {
    walk: &'s Walk<'w>,
    roots: &'s [Root<'w>],
    /// The pairs around each pair, each once, in the order of the first way to it.
    around: Lists,
    /// The whole values that each pair is.
    wholes: Lists,
    /// In which round a pair was reached, and from which pair.
    pairs: Vec<(u32, u32)>,
    /// In which round a whole value was reached, and from which pair.
    reached: Vec<(u32, u32)>,
    /// The whole values that the last search reached, in their order.
    found: Vec<usize>,
    round: u32,
    left: usize,
}

impl<'s, 'w> Search<'s, 'w> {
    pub(super) fn new(walk: &'s Walk<'w>, roots: &'s [Root<'w>]) -> Self {
        let (mut around, mut wholes) = (Lists::default(), Lists::default());
        for pair in &walk.pairs {
            let mut known = HashSet::default();
            for from in &pair.from {
                match from {
                    From::Root(root) => wholes.all.push(small(*root)),
                    From::Pair(pair, ..) if known.insert(*pair) => around.all.push(small(*pair)),
                    From::Pair(..) => {}
                }
            }
            around.ends.push(small(around.all.len()));
            wholes.ends.push(small(wholes.all.len()));
        }
        Self {
            walk,
            roots,
            around,
            wholes,
            pairs: vec![(0, 0); walk.pairs.len()],
            reached: vec![(0, 0); roots.len()],
            found: Vec::new(),
            round: 0,
            left: STEPS,
        }
    }

    /// All subjects that use the pair `id`, and the first of them with the shortest ways to it.
    pub(super) fn users(&mut self, id: usize) -> Found {
        self.search(id);
        self.found(id, None)
    }

    /// Looks for the bodies and parameters that have the pair `id`.
    pub(super) fn search(&mut self, id: usize) {
        self.round += 1;
        self.pairs[id] = (self.round, small(id));
        let mut open = vec![small(id)];
        let mut next = 0;
        let mut roots = Vec::new();
        while let Some(&pair) = open.get(next) {
            next += 1;
            for &root in self.wholes.of(pair) {
                let reached = &mut self.reached[root as usize];
                if reached.0 != self.round {
                    *reached = (self.round, pair);
                    roots.push(root as usize);
                }
            }
            for &around in self.around.of(pair) {
                self.left = self.left.saturating_sub(1);
                let reached = &mut self.pairs[around as usize];
                if reached.0 != self.round && self.left > 0 {
                    *reached = (self.round, pair);
                    open.push(around);
                }
            }
        }
        // Where most were reached, looking at all of them is quicker than sorting.
        if roots.len() > self.reached.len() / 8 {
            let all = self.reached.iter().enumerate();
            let reached = all.filter(|(_, reached)| reached.0 == self.round);
            roots = reached.map(|(root, _)| root).collect();
        } else {
            roots.sort_unstable();
        }
        self.found = roots;
    }

    /// The users that the last search found, which was for the pair `id`: those who have values that `sender` sends, or all.
    pub(super) fn found(&self, id: usize, sender: Option<Sender>) -> Found {
        let mut subjects = Subjects::default();
        let mut first: Vec<User> = Vec::new();
        let mut last = 0;
        let all = self.found.iter().copied();
        for root in all.filter(|root| sender.is_none_or(|one| one == self.roots[*root].sender)) {
            let number = self.roots[root].number;
            subjects.insert(number);
            if first.len() == TREE && number > last {
                continue;
            }
            let known = first.iter().position(|user| user.number == number);
            match known {
                Some(index) if first[index].uses.len() < USES => {
                    first[index].uses.push(self.way(root, id));
                }
                None if first.len() < TREE => {
                    last = last.max(number);
                    first.push(User {
                        number,
                        subject: self.roots[root].subject.clone(),
                        uses: vec![self.way(root, id)],
                    });
                }
                _ => {}
            }
        }
        (subjects, first)
    }

    /// The first subject that was found by the last search and has values that `sender` sends.
    pub(super) fn affected(&self, sender: Sender) -> Option<&'s str> {
        let mut all = self.roots.iter().zip(&self.reached);
        let found = all.find(|(root, (round, _))| *round == self.round && root.sender == sender);
        found.map(|(root, _)| root.subject.as_str())
    }

    /// The way from a whole value to the pair `id`.
    fn way(&self, root: usize, id: usize) -> Use {
        let whole = &self.roots[root];
        let mut through: Vec<String> = Vec::new();
        let mut pass = |name: Option<String>| {
            if name.is_some() && name.as_ref() != through.last() {
                through.extend(name);
            }
        };
        pass(holder(&whole.at.old).or_else(|| holder(&whole.at.new)));
        let mut pair = self.reached[root].1 as usize;
        loop {
            let visit = &self.walk.pairs[pair];
            pass(component(&visit.old).or_else(|| component(&visit.new)));
            if pair == id {
                break;
            }
            pair = self.pairs[pair].1 as usize;
        }
        Use {
            part: whole.part.clone(),
            through,
        }
    }
}

/// Lists of numbers, one after the other: searches pass here again and again, so what they need lies close together.
#[derive(Default)]
struct Lists {
    all: Vec<u32>,
    /// Where each list ends.
    ends: Vec<u32>,
}

impl Lists {
    fn of(&self, number: u32) -> &[u32] {
        let end = |number: u32| self.ends[number as usize] as usize;
        let start = number.checked_sub(1).map_or(0, end);
        &self.all[start..end(number)]
    }
}

/// A number of pairs or whole values, of which there are less than a document has bytes.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The name of the component at `at`, if it is one.
pub(super) fn component(at: &str) -> Option<String> {
    let tokens: Vec<String> = pointer::tokens(at).collect();
    let tokens = own(&tokens);
    match tokens {
        [components, kind, name] if components == "components" && kind == "schemas" => {
            Some(name.clone())
        }
        [.., kind, name] if kind == "$defs" || kind == "definitions" => Some(name.clone()),
        _ => None,
    }
}
