//! The answers of the library for one book and its notes.

use serde_json::{Map, Value, json};

use super::{Library, Note, is_known, wrong_member};
use crate::flows::server::{Fault, Reply, Request, json_reply, no_content, problem};

impl Library {
    pub(super) fn one(
        &mut self,
        request: &Request,
        user: &str,
        id: &str,
        body: &Value,
        fault: Fault,
    ) -> Reply {
        let now = match fault {
            Fault::UpdateTimeBack => json!("2025-12-31T00:00:00.001Z"),
            _ => self.now(7),
        };
        let last_put = self.last_put.clone();
        let Some(book) = self.books.iter_mut().find(|book| book.id == id) else {
            return problem(404, "no such book");
        };
        let method = request.method.as_str();
        let is_foreign = book.owner != user;
        let is_allowed = matches!(
            (method, fault),
            ("GET", Fault::ForeignRead)
                | ("PATCH" | "PUT", Fault::ForeignUpdate)
                | ("DELETE", Fault::ForeignDelete)
        );
        if is_foreign && !is_allowed {
            match (method, fault) {
                ("PATCH", Fault::ForeignUpdateDespiteRefusal) => {
                    book.members["title"] = json!("changed by somebody else");
                }
                ("DELETE", Fault::ForeignDeleteDespiteRefusal) => book.deleted = true,
                _ => {}
            }
            return problem(404, "no such book");
        }
        if book.deleted {
            return match (method, fault) {
                ("PATCH", Fault::DeletedStillUpdated) => {
                    json_reply(200, Value::Object(book.members.clone()))
                }
                ("DELETE", Fault::SecondDeleteSucceeds) => no_content(),
                ("PUT", Fault::DeletedStillReplaced) => {
                    json_reply(200, Value::Object(book.members.clone()))
                }
                _ => problem(404, "no such book"),
            };
        }
        match method {
            "GET" => {
                match fault {
                    Fault::ReadCounts => {
                        book.members["pages"] =
                            json!(book.members["pages"].as_u64().unwrap_or(0) + 1);
                    }
                    Fault::ListedNotReadable => return problem(404, "no such book"),
                    Fault::ErrorAfterUpdate if book.updated => return problem(500, "oh"),
                    _ => {}
                }
                let tag = tag(id, &book.members, fault);
                let known = request.headers.get("if-none-match");
                if known.is_some_and(|known| *known == tag || fault == Fault::ReadNeverModified) {
                    return Reply {
                        status: 304,
                        headers: vec![("ETag".to_owned(), tag)],
                        body: None,
                    };
                }
                let mut reply = json_reply(200, Value::Object(book.members.clone()));
                reply.headers.push(("ETag".to_owned(), tag));
                reply
            }
            "PATCH" => {
                if fault == Fault::UpdatesRefused {
                    return problem(422, "this book cannot be changed");
                }
                let Some(given) = body
                    .as_object()
                    .filter(|given| !given.is_empty() && given.keys().all(|name| is_known(name)))
                else {
                    return problem(400, "nothing to change");
                };
                if let Some(wrong) = wrong_member(body) {
                    for (name, value) in given {
                        if fault == Fault::RefusedUpdateApplied && name != wrong {
                            book.members[name] = value.clone();
                        }
                    }
                    return problem(400, &format!("{wrong} is wrong"));
                }
                let condition = request.headers.get("if-match");
                let own = tag(id, &book.members, fault);
                let is_wrong = condition.is_some_and(|condition| *condition != own);
                if is_wrong && fault != Fault::ConditionIgnored {
                    return problem(412, "it has changed meanwhile");
                }
                let created = book.members["createdAt"].clone();
                let updated = book.members["updatedAt"].clone();
                let before = book.members.clone();
                if fault == Fault::UpdateResetsWhatIsNotSent {
                    for (name, value) in
                        Self::whole(&json!({"title": before["title"]}), Fault::None)
                    {
                        book.members[&name] = value;
                    }
                }
                for (name, value) in given {
                    let is_lost = match fault {
                        Fault::UpdateToFalseIgnored => *value == false,
                        Fault::UpdateToNullIgnored => value.is_null(),
                        Fault::UpdateToEmptyIgnored => *value == "",
                        _ => false,
                    };
                    if !is_lost {
                        book.members[name] = value.clone();
                    }
                }
                book.members["updatedAt"] = now.clone();
                let shown = match fault {
                    Fault::UpdateAnswersOld => before.clone(),
                    _ => book.members.clone(),
                };
                match fault {
                    Fault::UpdateIgnored => {
                        book.members = before;
                        book.members["updatedAt"] = now;
                    }
                    Fault::UpdateOfOneMemberIgnored => {
                        book.members["subtitle"] = before["subtitle"].clone();
                    }
                    Fault::UpdateOverwritesAnother if given.contains_key("title") => {
                        book.members["tags"] = json!([]);
                    }
                    Fault::UpdateChangesCreationTime => book.members["createdAt"] = now,
                    Fault::UpdateTimeStill => book.members["updatedAt"] = updated,
                    _ => book.members["createdAt"] = created,
                }
                book.updated = true;
                json_reply(200, Value::Object(shown))
            }
            "PUT" => {
                if body.get("title").is_none() {
                    return problem(400, "a title is needed");
                }
                if let Some(wrong) = wrong_member(body) {
                    return problem(400, &format!("{wrong} is wrong"));
                }
                let is_again = last_put.as_ref() == Some(body);
                if fault == Fault::PutRefusedTheSecondTime && is_again {
                    return problem(400, "nothing changed");
                }
                let mut members = Self::whole(body, Fault::None);
                match fault {
                    Fault::PutMerges => {
                        for (name, value) in &book.members {
                            if body.get(name).is_none() {
                                members.insert(name.clone(), value.clone());
                            }
                        }
                    }
                    Fault::PutStoresTruncated => truncate(&mut members),
                    Fault::PutAppends if is_again => {
                        let mut tags = members["tags"].as_array().cloned().unwrap_or_default();
                        tags.push(json!("once more"));
                        members["tags"] = json!(tags);
                    }
                    _ => {}
                }
                let before = book.members.clone();
                for (name, value) in members {
                    book.members[&name] = value;
                }
                book.members["updatedAt"] = now;
                let shown = match fault {
                    Fault::PutAnswersOld => before,
                    _ => book.members.clone(),
                };
                self.last_put = Some(body.clone());
                json_reply(200, Value::Object(shown))
            }
            "DELETE" => {
                match fault {
                    Fault::DeleteRefused => return problem(409, "it is lent"),
                    Fault::DeleteDoesNothing => {}
                    _ => book.deleted = true,
                }
                no_content()
            }
            _ => problem(405, "no such method"),
        }
    }

    pub(super) fn notes_of(
        &mut self,
        method: &str,
        request: &Request,
        book: &str,
        rest: &[&str],
        body: &Value,
        fault: Fault,
    ) -> Reply {
        match (method, rest) {
            ("POST", []) => {
                let Some(text) = body.get("text").filter(|text| text.is_string()) else {
                    return problem(400, "a text is needed");
                };
                self.serial += 1;
                let id = self.serial;
                if fault != Fault::NoteNotStored {
                    self.notes.push(Note {
                        id,
                        book: book.to_owned(),
                        text: text.clone(),
                    });
                }
                json_reply(201, json!({"data": {"id": id, "text": text}}))
            }
            ("GET", []) => {
                let number = |name: &str, other| {
                    request
                        .query
                        .get(name)
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(other)
                };
                let (limit, offset): (usize, usize) = (number("limit", 20), number("offset", 0));
                let all: Vec<Value> = self
                    .notes
                    .iter()
                    .filter(|note| note.book == book)
                    .map(|note| json!({"id": note.id, "text": note.text}))
                    .collect();
                let start = match fault {
                    Fault::OffsetIgnored => 0,
                    Fault::OffsetSkips if offset > 0 => offset + 1,
                    _ => offset,
                };
                let page: Vec<Value> = all.iter().skip(start).take(limit).cloned().collect();
                let total = all.len() + usize::from(fault == Fault::HeaderTotalWrong);
                let mut reply = json_reply(200, json!(page));
                reply
                    .headers
                    .push(("X-Total-Count".to_owned(), total.to_string()));
                reply
            }
            ("GET", [id]) => match self.notes.iter().find(|note| {
                let is_below = note.book == book || fault == Fault::NoteBelowAnyBook;
                is_below && note.id.to_string() == *id
            }) {
                Some(note) => json_reply(200, json!({"data": {"id": note.id, "text": note.text}})),
                None => problem(404, "no such note"),
            },
            ("DELETE", [id]) => {
                let before = self.notes.len();
                self.notes
                    .retain(|note| !(note.book == book && note.id.to_string() == *id));
                match self.notes.len() < before {
                    true => no_content(),
                    false => problem(404, "no such note"),
                }
            }
            _ => problem(404, "no such path"),
        }
    }
}

/// The entity tag of a book.
fn tag(id: &str, members: &Map<String, Value>, fault: Fault) -> String {
    match fault {
        Fault::UpdateTagStill => format!("\"{id}\""),
        Fault::UpdateWeakTagStill => format!("W/\"{id}\""),
        _ => format!("\"{}\"", hash(members)),
    }
}

fn hash(members: &Map<String, Value>) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(members, &mut hasher);
    std::hash::Hasher::finish(&hasher)
}

/// As a column of 40 characters does.
pub(super) fn truncate(members: &mut Map<String, Value>) {
    let title: String = members["title"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(40)
        .collect();
    members["title"] = json!(title);
}
