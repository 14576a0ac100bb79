//! Putting a document together with the files that it refers to.
//!
//! Each file is read once and stands in the model below `x-bundled`, by number; references to it become local ones. So circles
//! between files are circles within one document. Relative references are relative to the file that they stand in. The values of
//! a discriminator's mapping are read as references too where they look like one; the name of a component is none.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};
use url::Url;

use super::anchor::Anchors;
use super::error::{LoadError, Problem};
use super::origin::{BUNDLED, File, Moves};
use super::walk::{Reference, each_reference, is_reference};
use super::{SIZE_LIMIT, component, dialect, is_url, pointer, resource, text, walk};

/// A document while its files are gathered.
pub(super) struct Bundle {
    /// The prefix of the names of files, such as the revision that they are of.
    prefix: String,
    /// The identity of each file: its URL or its path.
    ids: Vec<String>,
    /// The files by what they are known by.
    numbers: HashMap<String, usize>,
    /// The files that references of a file lead to, by the number of that file and the reference without its fragment.
    known: HashMap<(usize, String), usize>,
    values: Vec<Value>,
    files: Vec<File>,
    moves: Moves,
    /// References to other files that were not looked at yet.
    open: VecDeque<Wanted>,
    /// Bytes that may still be read.
    left: usize,
    /// The amount that aliases added to the files.
    copied: usize,
    /// Whether any reference names a file, or is not spelled as a URI.
    changes: bool,
}

/// A file that a reference leads to.
pub(super) struct Wanted {
    /// Its URL or path.
    pub(super) id: String,
    /// The ids to try instead, where there is no such file.
    others: VecDeque<String>,
    number: usize,
    at: String,
    reference: String,
    /// Whether the document can do without: a value of a mapping may also be a name.
    optional: bool,
}

/// A model whose schemas are still of the dialects of their files.
pub(super) struct Bundled {
    pub(super) value: Value,
    pub(super) files: Vec<File>,
    pub(super) moves: Moves,
    /// References as the files spell them, by what they are in the model.
    pub(super) spelled: HashMap<String, String>,
}

/// The results of searching a text before its nodes are walked.
struct Hints {
    may_have_id: bool,
    may_change: bool,
}

impl Hints {
    fn of(text: &str) -> Self {
        Self {
            may_have_id: resource::may_have_id(text),
            may_change: walk::may_change(text),
        }
    }
}

impl Bundle {
    /// Starts with the text of the document itself, whose name begins with `prefix`.
    ///
    /// # Errors
    /// When it is too large, neither JSON nor YAML, or not OpenAPI.
    pub(super) fn new(prefix: &str, name: &str, text: String) -> Result<Self, LoadError> {
        let left = SIZE_LIMIT
            .checked_sub(text.len())
            .ok_or_else(|| LoadError::TooLarge {
                name: name.to_owned(),
                limit: SIZE_LIMIT,
            })?;
        let mut copied = 0;
        let parsed = text::parse(name, &text, &mut copied).map_err(|problem| problem.at(name))?;
        let hints = Hints::of(&text);
        let (mut value, file) = File::new(name.to_owned(), text, parsed);
        let mut moves = Moves::default();
        dialect::begin(&mut value, &file, &mut moves)?;
        let mut bundle = Self {
            prefix: prefix.to_owned(),
            ids: Vec::new(),
            numbers: HashMap::new(),
            known: HashMap::new(),
            values: Vec::new(),
            files: Vec::new(),
            moves,
            open: VecDeque::new(),
            left,
            copied,
            changes: false,
        };
        let path = name.strip_prefix(prefix).unwrap_or(name);
        bundle.push(identity(path), value, file, hints);
        Ok(bundle)
    }

    fn push(&mut self, id: String, mut value: Value, file: File, text: Hints) {
        let number = self.ids.len();
        if text.may_have_id {
            resource::flatten(&mut value, &id);
        }
        if text.may_change {
            let (open, changes) = (&mut self.open, &mut self.changes);
            let visited = each_reference(&mut value, &mut |at, reference| {
                let (reference, optional) = match reference {
                    Reference::Ref(Value::String(reference)) => (&*reference, false),
                    Reference::Mapping(text) if is_reference(text) => (&*text, true),
                    _ => return Ok::<(), Infallible>(()),
                };
                let fragment = reference.strip_prefix('#');
                *changes |= !fragment.is_some_and(|text| text.bytes().all(pointer::is_plain));
                if fragment.is_none() {
                    open.push_back(Wanted {
                        id: String::new(),
                        others: VecDeque::new(),
                        number,
                        at: at.pointer(),
                        reference: reference.clone(),
                        optional,
                    });
                }
                Ok(())
            });
            let Ok(()) = visited;
        }
        self.numbers.entry(id.clone()).or_insert(number);
        self.ids.push(id);
        self.values.push(value);
        self.files.push(file);
    }

    /// The next file to read.
    ///
    /// # Errors
    /// When a reference leads out of what may be read.
    pub(super) fn next(&mut self) -> Result<Option<Wanted>, LoadError> {
        while let Some(mut wanted) = self.open.pop_front() {
            if wanted.id.is_empty() {
                let file = file_part(&wanted.reference).to_owned();
                if self.known.contains_key(&(wanted.number, file)) {
                    continue;
                }
                match resolve(&self.ids[wanted.number], &wanted.reference) {
                    Ok(ids) => wanted.others = ids,
                    Err(_) if wanted.optional => continue,
                    Err(problem) => return Err(self.unreadable(&wanted, &problem)),
                }
                wanted.id = wanted.others.pop_front().unwrap_or_default();
            }
            match self.numbers.get(&wanted.id) {
                Some(number) => self.know(&wanted, *number),
                None => return Ok(Some(wanted)),
            }
        }
        Ok(None)
    }

    fn know(&mut self, wanted: &Wanted, number: usize) {
        let file = file_part(&wanted.reference).to_owned();
        self.known.insert((wanted.number, file), number);
    }

    /// Adds a file that was read.
    ///
    /// # Errors
    /// When it is not JSON or YAML, or all files together are too large.
    pub(super) fn add(&mut self, wanted: Wanted, bytes: Vec<u8>) -> Result<(), LoadError> {
        let name = format!("{}{}", self.prefix, wanted.id);
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(LoadError::TooLarge {
                name: format!("{} with the files that it refers to", self.files[0].name),
                limit: SIZE_LIMIT,
            });
        };
        self.left = left;
        let text = text::decode(&name, bytes)?;
        let parsed =
            text::parse(&name, &text, &mut self.copied).map_err(|problem| problem.at(&name))?;
        let hints = Hints::of(&text);
        let (value, file) = File::new(name, text, parsed);
        self.know(&wanted, self.ids.len());
        self.push(wanted.id, value, file, hints);
        Ok(())
    }

    /// Takes note that a file could not be read; the reference may be meant in another way.
    ///
    /// # Errors
    /// When it cannot, at the reference that leads to the file.
    pub(super) fn missing(&mut self, mut wanted: Wanted, cause: &str) -> Result<(), LoadError> {
        if let Some(other) = wanted.others.pop_front() {
            wanted.id = other;
            self.open.push_front(wanted);
            return Ok(());
        }
        if wanted.optional {
            return Ok(());
        }
        Err(self.unreadable(&wanted, cause))
    }

    /// Says that a reference leads to nothing that could be read.
    pub(super) fn unreadable(&self, wanted: &Wanted, cause: &str) -> LoadError {
        let file = &self.files[wanted.number];
        let at = match wanted.number {
            0 => self.moves.back(wanted.at.clone()),
            _ => wanted.at.clone(),
        };
        let reference = &wanted.reference;
        let is_name = !reference.contains(['.', '/', '#', ':']);
        let near = self.values.get(wanted.number).filter(|_| is_name);
        let remedy = match near.and_then(|value| component::nearest(value, reference)) {
            Some(near) if wanted.number == 0 => {
                format!("did you mean `#{}`?", self.moves.back(near))
            }
            Some(near) => format!("did you mean `#{near}`?"),
            None => Self::remedy(&wanted.reference),
        };
        Problem::new(
            file.position(&at),
            format!(
                "the reference `{}` leads nowhere: {cause}",
                wanted.reference
            ),
            remedy,
        )
        .at(&file.name)
    }

    /// Advice on a reference to a file that cannot be read.
    fn remedy(reference: &str) -> String {
        match reference.split_once('#') {
            Some((_, rest)) if !rest.starts_with('/') && rest.contains('.') => {
                "correct the reference; a `#` in the name of a file is written as `%23`".to_owned()
            }
            _ => "correct the reference, or put the file where it leads".to_owned(),
        }
    }

    /// The model, and the files that it came from.
    pub(super) fn finish(mut self) -> Bundled {
        let mut values = std::mem::take(&mut self.values);
        let mut spelled = HashMap::new();
        // A document may also name itself.
        let first = self.ids[0].clone();
        for wanted in std::mem::take(&mut self.open) {
            let ids = resolve(&self.ids[wanted.number], &wanted.reference);
            if ids.is_ok_and(|ids| ids.contains(&first)) {
                self.know(&wanted, 0);
            }
        }
        if self.changes {
            let anchors: Vec<Anchors> = values.iter().map(Anchors::of).collect();
            for (number, value) in values.iter_mut().enumerate() {
                let visited = each_reference(value, &mut |_, reference| {
                    let reference = match reference {
                        Reference::Ref(Value::String(reference)) => reference,
                        Reference::Mapping(text) if is_reference(text) => text,
                        _ => return Ok::<(), Infallible>(()),
                    };
                    if let Some(local) = self.local(reference, number, &anchors) {
                        let told = std::mem::replace(reference, local);
                        if told != *reference {
                            spelled.entry(reference.clone()).or_insert(told);
                        } else if number == 0 {
                            spelled.insert(told.clone(), told);
                        }
                    }
                    Ok(())
                });
                let Ok(()) = visited;
            }
        }
        let others: Map<String, Value> = values
            .drain(1..)
            .enumerate()
            .map(|(index, value)| ((index + 1).to_string(), value))
            .collect();
        let mut value = values.pop().unwrap_or_default();
        if let (Value::Object(root), false) = (&mut value, others.is_empty()) {
            root.insert(BUNDLED.to_owned(), Value::Object(others));
        }
        if self.changes {
            unescape(&mut value, &mut spelled);
        }
        Bundled {
            value,
            files: self.files,
            moves: self.moves,
            spelled,
        }
    }

    /// A reference of the file `number` as it is in the model.
    fn local(&self, reference: &str, number: usize, anchors: &[Anchors]) -> Option<String> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let number = if file.is_empty() {
            number
        } else {
            *self.known.get(&(number, file.to_owned()))?
        };
        let inside = if fragment.is_empty() || fragment.starts_with('/') {
            pointer::encoded_fragment(fragment)
        } else if number == 0 {
            return Some(format!("#{fragment}"));
        } else {
            let at = anchors[number].first.get(fragment)?;
            pointer::encoded_fragment(&at.replace('%', "%25"))
        };
        Some(match number {
            0 => format!("#{inside}"),
            _ => format!("#/{BUNDLED}/{number}{inside}"),
        })
    }
}

/// Corrects the references to keys with a percent sign that are written as these are, such as `#/paths/a%20b` for `a%20b`.
fn unescape(document: &mut Value, spelled: &mut HashMap<String, String>) {
    let mut escaped = HashMap::new();
    let visited = each_reference(document, &mut |_, reference| {
        if let Reference::Ref(Value::String(text)) = reference
            && text.contains('%')
        {
            escaped.insert(text.clone(), String::new());
        }
        Ok::<(), Infallible>(())
    });
    let Ok(()) = visited;
    escaped.retain(|reference, new| {
        let told = spelled.get(reference).unwrap_or(reference);
        let raw = told.strip_prefix('#').unwrap_or_default();
        let decoded = pointer::from_reference(reference);
        let is_there = |at: &str| pointer::find(document, at).is_some();
        *new = pointer::to_reference(raw);
        !raw.is_empty() && !decoded.is_some_and(|at| is_there(&at)) && is_there(raw)
    });
    if escaped.is_empty() {
        return;
    }
    let visited = each_reference(document, &mut |_, reference| {
        if let Reference::Ref(Value::String(text)) = reference
            && let Some(new) = escaped.get(text)
        {
            let told = std::mem::replace(text, new.clone());
            let told = spelled.get(&told).cloned().unwrap_or(told);
            spelled.insert(new.clone(), told);
        }
        Ok::<(), Infallible>(())
    });
    let Ok(()) = visited;
}

/// A reference without its fragment.
fn file_part(reference: &str) -> &str {
    reference.split('#').next().unwrap_or(reference)
}

/// Returns the identity of a file, which is the same for two ways of writing its name.
fn identity(name: &str) -> String {
    if is_url(name) {
        return file_part(name).to_owned();
    }
    plain(Path::new(name))
}

/// A path without `.` and, where something stands in front of it, without `..`.
fn plain(path: &Path) -> String {
    let mut all = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(all.components().next_back(), Some(Component::Normal(_))) =>
            {
                all.pop();
            }
            other => all.push(other),
        }
    }
    all.to_string_lossy().into_owned()
}

/// The files that `reference` may mean in the file `base`, the most likely first.
fn resolve(base: &str, reference: &str) -> Result<VecDeque<String>, String> {
    let file = file_part(reference);
    if file.is_empty() {
        return Ok(VecDeque::from([base.to_owned()]));
    }
    if is_url(file) {
        return Ok(VecDeque::from([file.to_owned()]));
    }
    if is_url(base) {
        let url = Url::parse(base)
            .and_then(|base| base.join(file))
            .map_err(|error| error.to_string())?;
        return match url.scheme() {
            "http" | "https" => Ok(VecDeque::from([url.to_string()])),
            other => Err(unsupported(other)),
        };
    }
    let file = file.strip_prefix("file://").unwrap_or(file);
    if let Some((scheme, _)) = file.split_once(':')
        && scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Err(unsupported(scheme));
    }
    let folder = Path::new(base).parent().unwrap_or(Path::new(""));
    let decoded = pointer::percent_decoded(file).unwrap_or_else(|| file.to_owned());
    let mut ids = VecDeque::new();
    // As a URI has it; as people write the names of their files; as they are written on Windows.
    for name in [&decoded, file, &decoded.replace('\\', "/")] {
        let id = plain(&folder.join(name));
        if !ids.contains(&id) {
            ids.push_back(id);
        }
    }
    Ok(ids)
}

fn unsupported(scheme: &str) -> String {
    format!("the scheme `{scheme}` is not supported, only files, http and https are")
}
