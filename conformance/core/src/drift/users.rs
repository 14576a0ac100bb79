//! The users of the things that findings are about.

use crate::document::{BUNDLED, pointer};
use crate::finding::{Use, Users};

/// How many subjects a finding names; of the others it has the number.
pub(super) const TREE: usize = 20;

/// A set of subjects by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Subjects(Vec<u64>);

impl Subjects {
    pub(super) fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    fn add(&mut self, others: &Self) {
        self.0.resize(self.0.len().max(others.0.len()), 0);
        self.0
            .iter_mut()
            .zip(&others.0)
            .for_each(|(own, other)| *own |= other);
    }

    fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// A subject and how it uses something.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// The number that the ledger knows it by.
    pub(super) number: usize,
    pub(super) subject: String,
    pub(super) uses: Vec<Use>,
}

/// The users of one finding.
#[derive(Debug, Clone, Default)]
pub(super) struct UsedBy {
    subjects: Subjects,
    /// The first of them.
    first: Vec<User>,
}

impl UsedBy {
    /// The part of each user that has what the finding is about, where all have it in the same part.
    pub(super) fn part(&self) -> Option<String> {
        let mut parts = self
            .first
            .iter()
            .flat_map(|user| &user.uses)
            .map(|one| &one.part);
        let first = parts.next()?;
        (!first.is_empty() && parts.all(|part| part == first)).then(|| first.clone())
    }

    /// Adds one more user.
    pub(super) fn add(&mut self, user: User) {
        self.subjects.insert(user.number);
        match self
            .first
            .iter_mut()
            .find(|known| known.number == user.number)
        {
            Some(known) => {
                for way in user.uses {
                    if !known.uses.contains(&way) {
                        known.uses.push(way);
                    }
                }
            }
            None => {
                let place = self
                    .first
                    .partition_point(|known| known.number < user.number);
                if place < TREE {
                    self.first.insert(place, user);
                    self.first.truncate(TREE);
                }
            }
        }
    }

    /// Adds many.
    pub(super) fn add_all(&mut self, subjects: &Subjects, first: &[User]) {
        self.subjects.add(subjects);
        first.iter().for_each(|user| self.add(user.clone()));
    }

    /// Returns the users to report: none where one subject uses only its own parts.
    pub(super) fn told(self) -> Users {
        let count = self.subjects.len();
        let shared = |user: &User| user.uses.iter().any(|one| !one.through.is_empty());
        if count < 2 && !self.first.iter().any(shared) {
            return Users::default();
        }
        let tree = self.first.into_iter();
        Users {
            count,
            tree: tree
                .map(|user| crate::finding::User {
                    subject: user.subject,
                    uses: user.uses,
                })
                .collect(),
        }
    }
}

/// The component other than a schema that the node at `at` lies in, such as `parameters/Limit`.
pub(super) fn holder(at: &str) -> Option<String> {
    let tokens: Vec<String> = pointer::tokens(at).take(5).collect();
    match own(&tokens) {
        [components, kind, name, ..] if components == "components" && kind != "schemas" => {
            Some(format!("{kind}/{name}"))
        }
        _ => None,
    }
}

/// The pointer without the file that it leads into.
pub(super) fn own(tokens: &[String]) -> &[String] {
    match tokens {
        [bundled, _, rest @ ..] if bundled == BUNDLED => rest,
        all => all,
    }
}
