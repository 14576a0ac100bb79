//! Comparing paths, webhooks, callbacks and the operations below them.

use std::collections::{BTreeSet, VecDeque};

use foldhash::HashMap;
use serde_json::Value;

use super::Drift;
use super::content::entries;
use super::members::member;
use super::pair::Pair;
use super::rules::{self, Rule};
use super::site::{Site, Text};
use super::walk::{Entry, Met, walk};
use crate::document::{Document, METHODS, Operation, pointer};
use crate::finding::{DocumentChange, Effect, Impact, Part, Sender, Side};

/// The kind of an operation, which decides the direction of its messages and the rule for a missing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path,
    Webhook,
    Callback,
}

impl Kind {
    fn rules(self) -> (&'static Rule, &'static Rule) {
        match self {
            Self::Path => (&rules::OPERATION_REMOVED, &rules::OPERATION_ADDED),
            Self::Webhook => (&rules::WEBHOOK_REMOVED, &rules::WEBHOOK_ADDED),
            Self::Callback => (&rules::CALLBACK_REMOVED, &rules::CALLBACK_ADDED),
        }
    }

    fn part(self, operation: &Operation<'_>) -> Part {
        let name = format!("{} {}", operation.method, operation.path);
        match self {
            Self::Path => Part::Operation { name },
            Self::Webhook => Part::Webhook { name },
            Self::Callback => Part::Callback { name },
        }
    }
}

/// Members of an Operation Object that are compared by name here or elsewhere.
const HANDLED: [&str; 9] = [
    "operationId",
    "tags",
    "deprecated",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "security",
    "servers",
];

impl<'a> Drift<'a> {
    pub(super) fn paths(&mut self) {
        let (old, new) = (self.ledger.old, self.ledger.new);
        self.dangling_items("/paths");
        let sender = Sender::Client;
        let (old, new) = (old.operations(), new.operations());
        self.operations = self.matched(&old, &new, Kind::Path, sender, None);
    }

    pub(super) fn all_webhooks(&mut self) {
        let (old, new) = (self.ledger.old, self.ledger.new);
        self.dangling_items("/webhooks");
        let sender = Sender::Server;
        let (old, new) = (old.webhooks(), new.webhooks());
        self.webhooks = self.matched(&old, &new, Kind::Webhook, sender, None);
    }

    /// Says which Path Items refer to nothing, since they have no operations to compare.
    fn dangling_items(&mut self, map: &str) {
        let (old, new) = (self.ledger.old, self.ledger.new);
        for (side, document) in [(Side::Old, old), (Side::New, new)] {
            let Some(Value::Object(items)) = document.at(map) else {
                continue;
            };
            for (path, item) in items {
                let at = pointer::join(map, path);
                if item.get("$ref").is_some() && document.resolve(&at).is_none() {
                    self.ledger
                        .unresolved(path, side, &Pair::new(at.as_str(), at.as_str()));
                }
            }
        }
    }

    /// Pairs the operations by path and method and compares the pairs; gives the number of those in the old document. `owner` is the
    /// operation whose callbacks they are.
    fn matched(
        &mut self,
        old: &[Operation<'a>],
        new: &[Operation<'a>],
        kind: Kind,
        sender: Sender,
        owner: Option<&str>,
    ) -> usize {
        let mut count = 0;
        let partners = partners(old, new, kind);
        self.ledger
            .options
            .progress
            .expect("operations", partners.len());
        for (one, other) in partners {
            self.ledger.options.progress.step();
            let selection = &self.ledger.options.selection;
            if ![one, other]
                .into_iter()
                .flatten()
                .any(|operation| selection.selects(operation))
            {
                continue;
            }
            let Some(mut subject) = one.or(other).map(Operation::subject) else {
                continue;
            };
            if let Some(owner) = owner {
                subject = format!("{subject}, callback of {owner}");
            }
            count += usize::from(one.is_some());
            self.ledger.open(&subject);
            self.repeated(&subject, one, other);
            let (removed, added) = kind.rules();
            match (one, other) {
                (Some(one), Some(other)) => {
                    self.ledger.focus([one, other]);
                    if !self.is_same_operation(one, other) {
                        self.operation(&subject, (one, other), kind, sender);
                    }
                }
                (Some(one), None) => {
                    let at = Pair::new(one.pointer.as_str(), missing_at(self.ledger.new, one));
                    let change = DocumentChange::removed(kind.part(one));
                    let impact = Impact::of_removal(sender);
                    let effect = Effect { sender, impact };
                    self.ledger.affect(removed, effect, &subject, &at, change);
                }
                (None, Some(other)) => {
                    let at = Pair::new(missing_at(self.ledger.old, other), other.pointer.as_str());
                    let change = DocumentChange::added(kind.part(other));
                    let impact = Impact::Compatible;
                    let effect = Effect { sender, impact };
                    self.ledger.affect(added, effect, &subject, &at, change);
                }
                (None, None) => {}
            }
        }
        count
    }

    /// Whether two operations are written identically, and so is all that they inherit.
    fn is_same_operation(&mut self, old: &Operation<'a>, new: &Operation<'a>) -> bool {
        if old.path != new.path || !self.is_same_around() {
            return false;
        }
        let item = Pair::new(old.item.as_str(), new.item.as_str());
        let (old, new) = (Some(old.value), Some(new.value));
        self.same.object(old, new, "") && self.is_same_item(&item)
    }

    /// Whether two Path Items say the same besides their operations.
    fn is_same_item(&mut self, at: &Pair) -> bool {
        let (old, new) = self.ledger.objects(at);
        let (Some(old), Some(new)) = (old, new) else {
            return false;
        };
        let beside = |key: &str| METHODS.contains(&key) || key == "additionalOperations";
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        keys.into_iter().filter(|key| !beside(key)).all(|key| {
            let (one, other) = (old.get(key), new.get(key));
            one == other && (key != "parameters" || self.same.object(one, other, key))
        })
    }

    /// Whether what holds for all operations is the same: security, and servers.
    fn is_same_around(&mut self) -> bool {
        *self.same_around.get_or_insert_with(|| {
            let (old, new) = (self.ledger.old, self.ledger.new);
            ["/security", "/servers", "/components/securitySchemes"]
                .iter()
                .all(|at| old.at(at) == new.at(at))
        })
    }

    fn operation(
        &mut self,
        subject: &str,
        (old, new): (&Operation<'_>, &Operation<'_>),
        kind: Kind,
        sender: Sender,
    ) {
        let at = Pair::new(old.pointer.as_str(), new.pointer.as_str());
        let (request, response) = (
            Site {
                subject,
                part: "request body",
                sender,
                as_text: Text::No,
            },
            Site {
                subject,
                part: "answer",
                sender: sender.receiver(),
                as_text: Text::No,
            },
        );
        let names = (old.path != new.path).then(|| {
            let (old, new) = (template(old.path).1, template(new.path).1);
            new.into_iter().zip(old).collect::<HashMap<_, _>>()
        });
        if names.is_some() {
            let at = Pair::new(
                pointer::join("/paths", old.path),
                pointer::join("/paths", new.path),
            );
            let change = DocumentChange::PathRenamed {
                old: old.path.to_owned(),
                new: new.path.to_owned(),
            };
            self.ledger
                .add(&rules::PATH_PARAMETER_RENAMED, subject, &at, change);
        }
        let plain = old.path == new.path && self.is_same_outside(&at);
        if !plain {
            self.own_members(subject, old, new, &at);
        }
        let item = Pair::new(old.item.as_str(), new.item.as_str());
        if !plain || !self.is_same_around() || !self.is_same_item(&item) {
            self.security(subject, &at, sender, kind == Kind::Path);
            self.operation_servers(subject, old, new);
        }
        let others = [&item, &at].map(|at| self.has_other(at, "parameters"));
        if names.is_some() || others.contains(&true) {
            self.parameters(request, old, new, names.as_ref());
        }
        if self.has_other(&at, "requestBody") {
            self.request_body(request, &at);
        }
        if self.has_other(&at, "responses") {
            self.responses(response, &at);
        }
        if !self.is_same_around() || self.has_other(&at, "callbacks") {
            self.callbacks(subject, &at, sender);
        }
        if !self.is_same_item(&item) {
            let mut handled = vec!["parameters", "servers", "additionalOperations"];
            let lower = |operation: &Operation<'_>| operation.method.to_lowercase();
            let methods = [lower(old), lower(new)];
            handled.extend(methods.iter().map(String::as_str).chain(METHODS));
            self.ledger.rest(subject, &item, &handled);
        }
    }

    /// Compares what an operation says besides what it is sent and answers.
    fn own_members(&mut self, subject: &str, old: &Operation<'_>, new: &Operation<'_>, at: &Pair) {
        self.ledger.with_default(
            &rules::OPERATION_ID_CHANGED,
            subject,
            at,
            "operationId",
            None,
        );
        self.operation_tags(subject, old, new, at);
        self.ledger.with_default(
            &rules::DEPRECATED_CHANGED,
            subject,
            at,
            "deprecated",
            Some(false.into()),
        );
        self.ledger.rest(subject, at, &HANDLED);
    }

    fn operation_tags(
        &mut self,
        subject: &str,
        old: &Operation<'_>,
        new: &Operation<'_>,
        at: &Pair,
    ) {
        let set = |operation: &Operation<'_>| {
            operation
                .tags()
                .into_iter()
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        let (one, other) = (set(old), set(new));
        if one != other {
            let list = |set: BTreeSet<String>| {
                Some(Value::from(set.into_iter().collect::<Vec<_>>()).into())
            };
            let change = member("tags", list(one), list(other));
            let rule = &rules::OPERATION_TAGS_CHANGED;
            self.ledger.add(rule, subject, &at.member("tags"), change);
        }
    }

    /// Compares the servers of an operation where they replace those of the document.
    fn operation_servers(&mut self, subject: &str, old: &Operation<'_>, new: &Operation<'_>) {
        let place = |document: &Document, operation: &Operation<'_>| {
            let own = [&operation.pointer, &operation.item].map(|at| pointer::join(at, "servers"));
            own.into_iter().find(|at| document.at(at).is_some())
        };
        let root = || "/servers".to_owned();
        match (place(self.ledger.old, old), place(self.ledger.new, new)) {
            (None, None) => {}
            (one, other) => self.servers(
                subject,
                &Pair::new(one.unwrap_or_else(root), other.unwrap_or_else(root)),
            ),
        }
    }

    /// Compares callbacks: their requests go the other way, and those of callbacks inside of them the first way again.
    fn callbacks(&mut self, subject: &str, at: &Pair, sender: Sender) {
        let at = at.member("callbacks");
        let (old, new) = self.ledger.objects(&at);
        let (old, new) = (entries(old), entries(new));
        let sender = sender.receiver();
        for met in walk(&old, &new) {
            let part = |one: &Entry| Part::Callback {
                name: one.name.clone(),
            };
            let (rule, name, impact, change) = match met {
                Met::Both(one, _) | Met::OldWithin(one, _) | Met::NewWithin(one, _) => {
                    self.callback(subject, &at.member(&one.name), sender);
                    continue;
                }
                Met::Old(one) => {
                    let impact = Impact::of_removal(sender);
                    let change = DocumentChange::removed(part(one));
                    (&rules::CALLBACK_REMOVED, &one.name, impact, change)
                }
                Met::New(other) => {
                    let change = DocumentChange::added(part(other));
                    let impact = Impact::Compatible;
                    (&rules::CALLBACK_ADDED, &other.name, impact, change)
                }
            };
            let effect = Effect { sender, impact };
            self.ledger
                .affect(rule, effect, subject, &at.member(name), change);
        }
    }

    fn callback(&mut self, subject: &str, at: &Pair, sender: Sender) {
        let Some(pair) = self.ledger.resolve(subject, at) else {
            return;
        };
        if !self
            .visited
            .insert((pair.old.clone(), pair.new.clone(), sender))
        {
            return;
        }
        let (one, other) = (
            self.ledger.old.operations_below(&pair.old),
            self.ledger.new.operations_below(&pair.new),
        );
        self.matched(&one, &other, Kind::Callback, sender, Some(subject));
        let expressions: Vec<&str> = one.iter().chain(&other).map(|one| one.path).collect();
        self.ledger.rest(subject, &pair, &expressions);
    }
}

/// Where an operation that a document lacks would stand: its Path Item, if the document has that.
fn missing_at(document: &Document, operation: &Operation<'_>) -> String {
    let item = pointer::parent(&operation.pointer);
    if document.at(item).is_some() {
        item.to_owned()
    } else {
        pointer::parent(item).to_owned()
    }
}

/// An operation of the old document and the same one of the new document; at least one of them exists.
type Partners<'o, 'a> = (Option<&'o Operation<'a>>, Option<&'o Operation<'a>>);

/// Which operations are the same: those of the same method and path; of paths, those too whose names in braces differ, wherever the
/// Path Items are that a document has for them. Those of the old document in their order, then those that only the new one has, in theirs.
fn partners<'o, 'a>(
    old: &'o [Operation<'a>],
    new: &'o [Operation<'a>],
    kind: Kind,
) -> Vec<Partners<'o, 'a>> {
    type Index<'o> = HashMap<(&'o str, String), VecDeque<usize>>;
    fn index<'o>(
        new: &'o [Operation<'_>],
        taken: &[bool],
        path: impl Fn(&Operation<'_>) -> String,
    ) -> Index<'o> {
        let mut index = Index::default();
        for (number, one) in new.iter().enumerate().filter(|(number, _)| !taken[*number]) {
            let key = (one.method.as_str(), path(one));
            index.entry(key).or_default().push_back(number);
        }
        index
    }
    let mut taken = vec![false; new.len()];
    let mut found: Vec<Option<usize>> = vec![None; old.len()];
    let mut pair = |path: &dyn Fn(&Operation<'_>) -> String| {
        let mut index = index(new, &taken, path);
        for (one, found) in old.iter().zip(&mut found) {
            if found.is_none() {
                let same = index.get_mut(&(one.method.as_str(), path(one)));
                *found = same.and_then(VecDeque::pop_front);
                if let Some(number) = *found {
                    taken[number] = true;
                }
            }
        }
    };
    pair(&|one| one.path.to_owned());
    if kind == Kind::Path {
        pair(&|one| template(one.path).0);
    }
    let pairs = old.iter().zip(found);
    let pairs = pairs.map(|(one, found)| (Some(one), found.map(|number| &new[number])));
    let added = new.iter().zip(&taken).filter(|(_, taken)| !**taken);
    pairs
        .chain(added.map(|(other, _)| (None, Some(other))))
        .collect()
}

/// A path without the names of its parameters, and the names.
fn template(path: &str) -> (String, Vec<String>) {
    let (mut shape, mut names) = (String::new(), Vec::new());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        shape.push_str(before);
        shape.push_str("{}");
        names.push(name.to_owned());
        rest = after;
    }
    shape.push_str(rest);
    (shape, names)
}
