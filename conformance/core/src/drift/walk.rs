//! The matching of two maps: which entries are in the old one only, in both, or in the new one only.

use foldhash::HashMap;

/// An entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key; equal for two spellings of one name.
    pub(super) key: String,
    /// Its name as the document spells it.
    pub(super) name: String,
}

impl Entry {
    /// An entry that is known by its name.
    pub(super) fn plain(name: &str) -> Self {
        Self::of(name, name.to_owned())
    }

    pub(super) fn of(name: &str, key: String) -> Self {
        Self {
            key,
            name: name.to_owned(),
        }
    }
}

/// How an entry of one map meets the other map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Met<'e> {
    /// Only the old map has it.
    Old(&'e Entry),
    /// Both have it.
    Both(&'e Entry, &'e Entry),
    /// Only the new map has it.
    New(&'e Entry),
    /// Only the old map has it; the wider entry of the new one speaks for it.
    OldWithin(&'e Entry, &'e Entry),
    /// Only the new map has it; the wider entry of the old one, which comes first, speaks for it.
    NewWithin(&'e Entry, &'e Entry),
}

/// Walks over two maps: the entries of the old one in order, then what only the new one has.
pub(super) fn walk<'e>(old: &'e [Entry], new: &'e [Entry]) -> Vec<Met<'e>> {
    walk_wider(old, new, |_| Vec::new())
}

/// Walks over two maps of which some entries stand for several: `wider` gives the keys that speak for another, the narrowest first.
pub(super) fn walk_wider<'e>(
    old: &'e [Entry],
    new: &'e [Entry],
    wider: impl Fn(&str) -> Vec<String>,
) -> Vec<Met<'e>> {
    let index = |list: &'e [Entry]| {
        let mut index: HashMap<&'e str, Vec<usize>> = HashMap::default();
        for (number, entry) in list.iter().enumerate() {
            index.entry(&entry.key).or_default().push(number);
        }
        index
    };
    let (olds, news) = (index(old), index(new));
    let first = |index: &HashMap<&str, Vec<usize>>, key: &str| index.get(key)?.first().copied();
    let covering = |index, one: &Entry| {
        let keys = wider(&one.key);
        keys.iter().find_map(|key| first(index, key))
    };
    let mut met = vec![false; new.len()];
    let mut all = Vec::with_capacity(old.len().max(new.len()));
    for one in old {
        let same = news.get(one.key.as_str());
        // A map may spell one name in two ways: the same spelling goes first.
        let spelled = same.and_then(|same| same.iter().find(|index| new[**index] == *one));
        let same = spelled.copied().or_else(|| first(&news, &one.key));
        all.push(match same {
            Some(index) => {
                met[index] = true;
                Met::Both(one, &new[index])
            }
            None => match covering(&news, one) {
                Some(index) => Met::OldWithin(one, &new[index]),
                None => Met::Old(one),
            },
        });
    }
    for (other, met) in new.iter().zip(met) {
        if met {
            continue;
        }
        all.push(match first(&olds, &other.key) {
            Some(index) => Met::Both(&old[index], other),
            None => match covering(&olds, other) {
                Some(index) => Met::NewWithin(&old[index], other),
                None => Met::New(other),
            },
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| Entry::of(name, name.to_lowercase());
        names.iter().map(entry).collect()
    }

    #[test]
    fn every_entry_is_met_once_or_is_a_second_spelling() {
        let (old, new) = (entries(&["a", "B", "c"]), entries(&["b", "C", "c", "d"]));
        let met = walk(&old, &new);
        assert_eq!(
            met,
            [
                Met::Old(&old[0]),
                Met::Both(&old[1], &new[0]),
                Met::Both(&old[2], &new[2]),
                Met::Both(&old[2], &new[1]),
                Met::New(&new[3]),
            ]
        );
    }

    #[test]
    fn the_narrowest_wider_entry_speaks_for_another() {
        let (old, new) = (entries(&["x/*", "*"]), entries(&["x/y", "z"]));
        let wider = |key: &str| {
            let kind = key.split('/').next().unwrap_or_default();
            vec![format!("{kind}/*"), "*".to_owned()]
        };
        assert_eq!(
            walk_wider(&old, &new, wider),
            [
                Met::Old(&old[0]),
                Met::Old(&old[1]),
                Met::NewWithin(&old[0], &new[0]),
                Met::NewWithin(&old[1], &new[1]),
            ]
        );
        assert_eq!(
            walk_wider(&new, &old, wider)[..2],
            [
                Met::OldWithin(&new[0], &old[0]),
                Met::OldWithin(&new[1], &old[1]),
            ]
        );
    }
}
