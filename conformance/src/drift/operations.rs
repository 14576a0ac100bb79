//! Comparing paths, webhooks, callbacks and the operations below them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::Drift;
use super::ledger::{Pair, Site, contrast, one_sided};
use super::rules::{self, Rule};
use crate::document::{Document, METHODS, Operation, pointer};

/// What an operation is, which decides the direction of its messages and the rule for a missing one.
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

    fn noun(self) -> &'static str {
        match self {
            Self::Path => "operation",
            Self::Webhook => "webhook",
            Self::Callback => "callback",
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
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        self.dangling_items("/paths");
        self.operations = self.matched(&theirs.operations(), &ours.operations(), Kind::Path, false);
    }

    pub(super) fn all_webhooks(&mut self) {
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        self.dangling_items("/webhooks");
        self.webhooks = self.matched(&theirs.webhooks(), &ours.webhooks(), Kind::Webhook, true);
    }

    /// Says which Path Items refer to nothing, since they have no operations to compare.
    fn dangling_items(&mut self, map: &str) {
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        for (side, document) in [("theirs", theirs), ("ours", ours)] {
            let Some(Value::Object(items)) = document.at(map) else {
                continue;
            };
            for (path, item) in items {
                let at = pointer::join(map, path);
                if let (Some(reference), None) = (item.get("$ref"), document.resolve(&at)) {
                    let message = super::ledger::unresolved(side, &reference.to_string());
                    self.ledger.add(
                        &rules::REFERENCE_UNRESOLVED,
                        path,
                        &Pair::new(at.as_str(), at.as_str()),
                        message,
                    );
                }
            }
        }
    }

    /// Pairs the operations by path and method and compares the pairs; gives their number.
    fn matched(
        &mut self,
        theirs: &[Operation<'a>],
        ours: &[Operation<'a>],
        kind: Kind,
        inverted: bool,
    ) -> usize {
        let selection = &self.ledger.options.selection;
        let renamed = if kind == Kind::Path {
            renamed_paths(theirs, ours)
        } else {
            HashMap::new()
        };
        let key = |one: &Operation<'_>| (one.method.clone(), one.path.to_owned());
        let mut left: HashMap<(String, String), usize> = ours
            .iter()
            .enumerate()
            .map(|(index, one)| (key(one), index))
            .collect();
        let mut pairs = Vec::new();
        for one in theirs {
            let path = renamed.get(one.path).map_or(one.path, |(other, _)| other);
            let other = left
                .remove(&(one.method.clone(), path.to_owned()))
                .map(|index| &ours[index]);
            if selection.selects(one) || other.is_some_and(|other| selection.selects(other)) {
                pairs.push((one, other));
            }
        }
        let mut count = 0;
        self.ledger.options.progress.expect(pairs.len());
        for (one, other) in pairs {
            count += 1;
            self.ledger.options.progress.step();
            let subject = one.subject();
            self.ledger.open(&subject);
            match other {
                Some(other) if self.is_same_operation(one, other) => {}
                Some(other) => {
                    let names = renamed.get(one.path).map(|(_, names)| names);
                    if names.is_some() {
                        self.renamed_path(&subject, one, other);
                    }
                    self.operation(&subject, (one, other), names, inverted);
                }
                None => {
                    let (removed, _) = kind.rules();
                    let at = Pair::new(one.pointer.as_str(), missing_at(self.ledger.ours, one));
                    let message = one_sided(&format!("the {} {subject}", kind.noun()), true);
                    self.ledger.add(removed, &subject, &at, message);
                }
            }
        }
        let mut added: Vec<&Operation<'_>> = left.into_values().map(|index| &ours[index]).collect();
        added.sort_by_key(|one| self.ledger.ours.position(&one.pointer));
        for one in added {
            if self.ledger.options.selection.selects(one) {
                let subject = one.subject();
                let (_, added) = kind.rules();
                let at = Pair::new(missing_at(self.ledger.theirs, one), one.pointer.as_str());
                let message = one_sided(&format!("the {} {subject}", kind.noun()), false);
                self.ledger.add(added, &subject, &at, message);
            }
        }
        count
    }

    /// Whether two operations say the same in the same words, and all that they take from around them does.
    fn is_same_operation(&mut self, theirs: &Operation<'a>, ours: &Operation<'a>) -> bool {
        if theirs.path != ours.path || !self.is_same_around() {
            return false;
        }
        let item = Pair::new(theirs.item.as_str(), ours.item.as_str());
        let (theirs, ours) = (Some(theirs.value), Some(ours.value));
        self.same.object(theirs, ours, "") && self.is_same_item(&item)
    }

    /// Whether two Path Items say the same besides their operations.
    fn is_same_item(&mut self, at: &Pair) -> bool {
        let (theirs, ours) = self.ledger.objects(at);
        let (Some(theirs), Some(ours)) = (theirs, ours) else {
            return false;
        };
        let beside = |key: &str| METHODS.contains(&key) || key == "additionalOperations";
        let keys: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        keys.into_iter().filter(|key| !beside(key)).all(|key| {
            let (one, other) = (theirs.get(key), ours.get(key));
            one == other && (key != "parameters" || self.same.object(one, other, key))
        })
    }

    /// Whether what holds for all operations is the same: security, and servers.
    fn is_same_around(&mut self) -> bool {
        *self.same_around.get_or_insert_with(|| {
            let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
            ["/security", "/servers", "/components/securitySchemes"]
                .iter()
                .all(|at| theirs.at(at) == ours.at(at))
        })
    }

    fn renamed_path(&mut self, subject: &str, theirs: &Operation<'_>, ours: &Operation<'_>) {
        let at = Pair::new(
            pointer::join("/paths", theirs.path),
            pointer::join("/paths", ours.path),
        );
        let message = format!(
            "theirs writes the path `{}`, ours `{}`: the same path with other parameter names; use their names",
            theirs.path, ours.path
        );
        self.ledger
            .add(&rules::PATH_PARAMETER_RENAMED, subject, &at, message);
    }

    fn operation(
        &mut self,
        subject: &str,
        (theirs, ours): (&Operation<'_>, &Operation<'_>),
        names: Option<&HashMap<String, String>>,
        inverted: bool,
    ) {
        let at = Pair::new(theirs.pointer.as_str(), ours.pointer.as_str());
        let (request, response) = (
            Site {
                subject,
                part: "request body",
                from_server: inverted,
                as_text: false,
            },
            Site {
                subject,
                part: "answer",
                from_server: !inverted,
                as_text: false,
            },
        );
        let plain = theirs.path == ours.path && self.is_same_outside(&at);
        if !plain {
            self.own_members(subject, theirs, ours, &at);
        }
        let item = Pair::new(theirs.item.as_str(), ours.item.as_str());
        if !plain || !self.is_same_around() || !self.is_same_item(&item) {
            self.security(subject, &at, inverted);
            self.operation_servers(subject, theirs, ours);
        }
        let others = [&item, &at].map(|at| self.has_other(at, "parameters"));
        if names.is_some() || others.contains(&true) {
            self.parameters(request, theirs, ours, names);
        }
        if self.has_other(&at, "requestBody") {
            self.request_body(request, &at);
        }
        if self.has_other(&at, "responses") {
            self.responses(response, &at);
        }
        if !self.is_same_around() || self.has_other(&at, "callbacks") {
            self.callbacks(subject, &at, inverted);
        }
        if !self.is_same_item(&item) {
            let mut handled = vec!["parameters", "servers", "additionalOperations"];
            let lower = |operation: &Operation<'_>| operation.method.to_lowercase();
            let methods = [lower(theirs), lower(ours)];
            handled.extend(methods.iter().map(String::as_str).chain(METHODS));
            self.ledger.rest(subject, &item, &handled);
        }
    }

    /// Compares what an operation says besides what it is sent and answers.
    fn own_members(
        &mut self,
        subject: &str,
        theirs: &Operation<'_>,
        ours: &Operation<'_>,
        at: &Pair,
    ) {
        self.ledger.with_default(
            &rules::OPERATION_ID_CHANGED,
            subject,
            at,
            "operationId",
            (Value::Null, Value::Null),
        );
        self.operation_tags(subject, theirs, ours, at);
        self.ledger.with_default(
            &rules::DEPRECATED_CHANGED,
            subject,
            at,
            "deprecated",
            (false.into(), false.into()),
        );
        self.ledger.rest(subject, at, &HANDLED);
    }

    fn operation_tags(
        &mut self,
        subject: &str,
        theirs: &Operation<'_>,
        ours: &Operation<'_>,
        at: &Pair,
    ) {
        let set = |operation: &Operation<'_>| {
            operation
                .tags()
                .into_iter()
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        let (one, other) = (set(theirs), set(ours));
        if one != other {
            let list = |set: BTreeSet<String>| Value::from(set.into_iter().collect::<Vec<_>>());
            let message = contrast("tags", Some(&list(one)), Some(&list(other)));
            self.ledger.add(
                &rules::OPERATION_TAGS_CHANGED,
                subject,
                &at.member("tags"),
                message,
            );
        }
    }

    /// Compares the servers of an operation where they replace those of the document.
    fn operation_servers(&mut self, subject: &str, theirs: &Operation<'_>, ours: &Operation<'_>) {
        let place = |document: &Document, operation: &Operation<'_>| {
            let own = [&operation.pointer, &operation.item].map(|at| pointer::join(at, "servers"));
            own.into_iter().find(|at| document.at(at).is_some())
        };
        let root = || "/servers".to_owned();
        match (
            place(self.ledger.theirs, theirs),
            place(self.ledger.ours, ours),
        ) {
            (None, None) => {}
            (one, other) => self.servers(
                subject,
                &Pair::new(one.unwrap_or_else(root), other.unwrap_or_else(root)),
            ),
        }
    }

    /// Compares callbacks: the server is the client of these, so directions are reversed, and again inside of them.
    fn callbacks(&mut self, subject: &str, at: &Pair, inverted: bool) {
        let at = at.member("callbacks");
        let (theirs, ours) = self.ledger.objects(&at);
        let keys = |object: Option<&serde_json::Map<String, Value>>| {
            object
                .into_iter()
                .flat_map(|members| members.keys().cloned())
                .collect::<Vec<_>>()
        };
        let (theirs, ours) = (keys(theirs), keys(ours));
        for name in &theirs {
            let below = at.member(name);
            let thing = format!("the callback `{name}`");
            if !ours.contains(name) {
                self.ledger.add(
                    &rules::CALLBACK_REMOVED,
                    subject,
                    &below,
                    one_sided(&thing, true),
                );
                continue;
            }
            let Some(pair) = self.ledger.resolve(subject, &below) else {
                continue;
            };
            if !self
                .visited
                .insert((pair.theirs.clone(), pair.ours.clone(), inverted))
            {
                continue;
            }
            let (one, other) = (
                self.ledger.theirs.operations_below(&pair.theirs),
                self.ledger.ours.operations_below(&pair.ours),
            );
            self.matched(&one, &other, Kind::Callback, !inverted);
            let expressions: Vec<String> = one
                .iter()
                .chain(&other)
                .map(|one| one.path.to_owned())
                .collect();
            let expressions: Vec<&str> = expressions.iter().map(String::as_str).collect();
            self.ledger.rest(subject, &pair, &expressions);
        }
        for name in ours.iter().filter(|name| !theirs.contains(name)) {
            let message = one_sided(&format!("the callback `{name}`"), false);
            self.ledger
                .add(&rules::CALLBACK_ADDED, subject, &at.member(name), message);
        }
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

/// Paths of theirs that ours writes with other parameter names: the other path, and the names of theirs by those of ours.
fn renamed_paths<'a>(
    theirs: &[Operation<'a>],
    ours: &[Operation<'a>],
) -> HashMap<&'a str, (&'a str, HashMap<String, String>)> {
    let paths = |operations: &[Operation<'a>]| {
        operations
            .iter()
            .map(|one| one.path)
            .collect::<BTreeSet<_>>()
    };
    let (theirs, ours) = (paths(theirs), paths(ours));
    let mut shapes: HashMap<String, &'a str> = HashMap::new();
    for path in ours.difference(&theirs) {
        shapes.entry(template(path).0).or_insert(path);
    }
    let mut renamed = HashMap::new();
    for path in theirs.difference(&ours) {
        let (shape, names) = template(path);
        if let Some(other) = shapes.remove(&shape) {
            let names = template(other).1.into_iter().zip(names).collect();
            renamed.insert(*path, (other, names));
        }
    }
    renamed
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
