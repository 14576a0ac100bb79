//! The part of a schema that is written: all of it, or the part that given values can see.

use std::collections::BTreeSet;

use foldhash::HashMap;
use serde_json::{Map, Value, json};

use super::tried::is_alike;

/// The part of a schema that is written.
#[derive(Clone)]
pub(super) enum Scope<'v> {
    All,
    Values(Vec<&'v Value>),
}

impl<'v> Scope<'v> {
    pub(super) fn members(&self) -> Self {
        self.each(&|value, all| {
            if let Value::Object(members) = value {
                all.extend(members.values());
            }
        })
    }

    pub(super) fn named(&self, name: &str) -> Self {
        self.each(&|value, all| all.extend(value.as_object().and_then(|members| members.get(name))))
    }

    /// Returns the result of [`Self::named`] for each name, found at once for all.
    pub(super) fn by_name(&self) -> ByName<'v> {
        let Self::Values(values) = self else {
            return ByName(None);
        };
        let mut named: HashMap<&str, Vec<&Value>> = HashMap::default();
        for (name, member) in values
            .iter()
            .filter_map(|value| value.as_object())
            .flatten()
        {
            let all = named.entry(name).or_default();
            if !all.last().is_some_and(|last| is_alike(last, member)) {
                all.push(member);
            }
        }
        ByName(Some(named))
    }

    pub(super) fn items(&self) -> Self {
        self.each(&|value, all| {
            if let Value::Array(items) = value {
                all.extend(items);
            }
        })
    }

    pub(super) fn each(&self, take: &dyn Fn(&'v Value, &mut Vec<&'v Value>)) -> Self {
        match self {
            Self::All => Self::All,
            Self::Values(values) => {
                let mut all = Vec::new();
                for value in values {
                    take(value, &mut all);
                }
                // Values to try differ in a member or two: of the others there are few.
                all.dedup_by(|one, other| is_alike(one, other));
                Self::Values(all)
            }
        }
    }

    /// Whether nothing is there that the schema could be asked about.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Values(values) if values.is_empty())
    }

    pub(super) fn names(&self) -> Vec<Value> {
        match self {
            Self::All => Vec::new(),
            Self::Values(values) => {
                let members = values.iter().filter_map(|value| value.as_object());
                let names: BTreeSet<&String> = members.flat_map(Map::keys).collect();
                names.into_iter().map(|name| json!(name)).collect()
            }
        }
    }
}

/// The values of members by their names; none where all of a schema is written.
pub(super) struct ByName<'v>(Option<HashMap<&'v str, Vec<&'v Value>>>);

impl<'v> ByName<'v> {
    /// The values of the members called `name`, which are asked for once.
    pub(super) fn take(&mut self, name: &str) -> Scope<'v> {
        match &mut self.0 {
            Some(named) => Scope::Values(named.remove(name).unwrap_or_default()),
            None => Scope::All,
        }
    }
}
