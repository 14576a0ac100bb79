//! What the library has, and its answers for collections; `one` has those for single things.

mod one;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::one::truncate;
use super::server::{FIRST, Fault, Reply, Request, SECOND, json_reply, no_content, problem};

pub(super) struct Book {
    id: String,
    owner: String,
    pub(super) members: Map<String, Value>,
    pub(super) deleted: bool,
    updated: bool,
}

pub(super) struct Note {
    id: u64,
    book: String,
    text: Value,
}

#[derive(Default)]
pub(super) struct Library {
    serial: u64,
    time: u64,
    pub(super) books: Vec<Book>,
    pub(super) notes: Vec<Note>,
    /// By owner and code.
    shelves: BTreeMap<String, Value>,
    keys: BTreeMap<String, (String, Value)>,
    last_put: Option<Value>,
}

impl Library {
    fn now(&mut self, step: u64) -> Value {
        self.time += step;
        json!(format!(
            "2026-01-01T00:{:02}:{:02}.{:03}Z",
            self.time / 60_000 % 60,
            self.time / 1000 % 60,
            self.time % 1000
        ))
    }

    /// The members of a book that a client gave, with those that it left out.
    fn whole(given: &Value, fault: Fault) -> Map<String, Value> {
        let mut members = Map::new();
        let language = match fault {
            Fault::DefaultLost => Value::Null,
            Fault::DefaultOther => json!("de"),
            _ => json!("en"),
        };
        let defaults = json!({"title": "", "subtitle": null, "language": language, "price": null, "pages": null, "tags": [], "lent": false, "author": null, "bought": null, "size": null});
        for (name, default) in defaults.as_object().expect("an object") {
            members.insert(name.clone(), given.get(name).unwrap_or(default).clone());
        }
        members
    }

    pub(super) fn add(&mut self, owner: &str, given: &Value, fault: Fault) -> String {
        self.serial += 1;
        let id = format!("book-{}", self.serial);
        let mut members = Self::whole(given, fault);
        match fault {
            Fault::StoredTruncated => truncate(&mut members),
            Fault::StoredInUpperCase => {
                let title = members["title"].as_str().unwrap_or_default().to_uppercase();
                members["title"] = json!(title);
            }
            Fault::NumberRounded => {
                members["price"] = members["price"]
                    .as_f64()
                    .map_or(Value::Null, |price| json!((price / 10.0).floor() * 10.0));
            }
            Fault::LettersLost => {
                let title = members["title"].as_str().unwrap_or_default();
                let title: String = title
                    .chars()
                    .map(|one| if one.is_ascii() { one } else { '?' })
                    .collect();
                members["title"] = json!(title);
            }
            Fault::ZeroLost if members["price"] == 0 => members["price"] = Value::Null,
            Fault::OffsetDropped => {
                let bought = members["bought"].as_str().unwrap_or_default();
                if let Some(local) = bought.strip_suffix("+02:00") {
                    members["bought"] = json!(format!("{local}Z"));
                }
            }
            Fault::PairSwapped => {
                let size = members["size"].as_array_mut();
                size.into_iter().for_each(|size| size.reverse());
            }
            Fault::MemberLost => members["tags"] = json!([]),
            Fault::NestedMemberLost => {
                if let Some(author) = members["author"].as_object_mut() {
                    author.remove("born");
                    author.insert("name".to_owned(), json!("somebody"));
                }
            }
            _ => {}
        }
        let now = self.now(7);
        members.insert("createdAt".to_owned(), now.clone());
        members.insert("updatedAt".to_owned(), now);
        members.insert("id".to_owned(), json!(id));
        if fault == Fault::FirstReplaced {
            // One was there before.
            let own = self.books.iter_mut();
            let mut own = own.filter(|book| book.owner == owner && !book.deleted);
            if let Some(first) = own.nth(1) {
                first.members["title"] = members["title"].clone();
            }
        }
        self.books.push(Book {
            id: id.clone(),
            owner: owner.to_owned(),
            members,
            deleted: false,
            updated: false,
        });
        id
    }

    pub(super) fn answer(&mut self, request: &Request, fault: Fault) -> Reply {
        let header = request.headers.get("x-token").map(String::as_str);
        let cookie = request.headers.get("cookie");
        let cookie = cookie.and_then(|cookie| cookie.strip_prefix("token="));
        let user = header.or(cookie).unwrap_or_default().to_owned();
        if user != FIRST && user != SECOND {
            return problem(401, "who are you?");
        }
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), &segments[..]) {
            ("POST", ["api", "books"]) => self.create(request, &user, &body, fault),
            ("GET", ["api", "books"]) => self.list(request, &user, fault),
            (_, ["api", "books", id]) => self.one(request, &user, id, &body, fault),
            ("GET", ["api", "shelves"]) => self.list_shelves(request, &user, fault),
            ("POST", ["api", "shelves"]) => {
                let (Some(code), true) = (body["code"].as_str(), body["name"].is_string()) else {
                    return problem(400, "a code and a name are needed");
                };
                let own = format!("{user} {code}");
                if self.shelves.contains_key(&own) && fault != Fault::IdTakenTwice {
                    return problem(409, "there is such a shelf");
                }
                if fault == Fault::FirstForgotten {
                    self.shelves.clear();
                }
                self.shelves.insert(own, body.clone());
                json_reply(201, body.clone())
            }
            ("GET", ["api", "shelves", code]) => {
                match self.shelves.get(&format!("{user} {code}")) {
                    Some(shelf) => json_reply(200, shelf.clone()),
                    None => problem(404, "no such shelf"),
                }
            }
            ("DELETE", ["api", "shelves", code]) => {
                match self.shelves.remove(&format!("{user} {code}")) {
                    Some(_) => no_content(),
                    None => problem(404, "no such shelf"),
                }
            }
            (method, ["api", "books", id, "notes", rest @ ..]) => {
                let is_own = self
                    .books
                    .iter()
                    .any(|book| book.id == *id && book.owner == user && !book.deleted);
                match is_own {
                    true => self.notes_of(method, request, id, rest, &body, fault),
                    false => problem(404, "no such book"),
                }
            }
            _ => problem(404, "no such path"),
        }
    }

    fn create(&mut self, request: &Request, user: &str, body: &Value, fault: Fault) -> Reply {
        if fault == Fault::CreationRefused {
            return problem(403, "the quota of this plan is used up");
        }
        if !body.get("title").is_some_and(|title| {
            title
                .as_str()
                .is_some_and(|title| !title.is_empty() && title.chars().count() <= 200)
        }) {
            return problem(400, "a title is needed");
        }
        if let Some(known) = body
            .as_object()
            .and_then(|members| members.keys().find(|name| !is_known(name)))
        {
            return problem(400, &format!("unknown member {known}"));
        }
        if let Some(wrong) = wrong_member(body) {
            if fault == Fault::RefusedCreationStored {
                self.add(user, &json!({"title": "half of a book"}), fault);
            }
            return problem(400, &format!("{wrong} is wrong"));
        }
        let key = request
            .headers
            .get("idempotency-key")
            .filter(|_| !matches!(fault, Fault::KeyIgnored | Fault::NotStored))
            .cloned();
        let id = match key.as_ref().and_then(|key| self.keys.get(key)) {
            Some((_, known)) if known != body => return problem(409, "another body with this key"),
            Some((id, _)) => id.clone(),
            None => self.add(user, body, fault),
        };
        if let Some(key) = key {
            self.keys.insert(key, (id.clone(), body.clone()));
        }
        let book = self
            .books
            .iter()
            .find(|book| book.id == id)
            .expect("it was just added");
        let mut shown = Value::Object(book.members.clone());
        // The answer is what was sent, whatever was stored.
        for (name, value) in Self::whole(body, Fault::None) {
            shown[&name] = value;
        }
        let mut location = format!("/api/books/{id}");
        match fault {
            Fault::NotStored => self.books.retain(|book| book.id != id),
            Fault::CreationAnswersOther => shown["title"] = json!("another title"),
            Fault::LocationLost => location = format!("/api/book/{id}"),
            Fault::LocationOfAnother => location = "/api/books/book-1".to_owned(),
            Fault::NoId => {
                shown.as_object_mut().expect("an object").remove("id");
                location = "/".to_owned();
            }
            _ => {}
        }
        let mut reply = json_reply(201, shown);
        reply.headers.push(("Location".to_owned(), location));
        reply
    }

    fn list(&mut self, request: &Request, user: &str, fault: Fault) -> Reply {
        let limit: usize = request
            .query
            .get("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(match fault {
                Fault::LimitDefaultOther => 2,
                _ => 20,
            });
        let all: Vec<&Book> = self
            .books
            .iter()
            .filter(|book| book.owner == user || fault == Fault::ForeignList)
            .filter(|book| !book.deleted || fault == Fault::DeletedStillListed)
            .collect();
        let whole = all.len();
        let wanted = request.query.get("lent").map(|lent| lent == "true");
        let wanted = wanted.filter(|_| fault != Fault::FilterIgnored);
        let mut all: Vec<&Book> = all
            .into_iter()
            .filter(|book| wanted.is_none_or(|wanted| book.members["lent"] == wanted))
            .collect();
        if fault == Fault::FilterLosesOne && wanted.is_some() {
            all.truncate(1);
        }
        in_time(request, fault, &mut all);
        let is_descending = request
            .query
            .get("sort")
            .is_some_and(|sort| sort == "-createdAt");
        if is_descending && fault != Fault::OrderIgnored {
            all.reverse();
        }
        let all = match fault {
            Fault::NewestNotListed => &all[..all.len().saturating_sub(1)],
            _ => &all[..],
        };
        let start: usize = request
            .query
            .get("cursor")
            .and_then(|cursor| cursor.trim_start_matches('c').parse().ok())
            .unwrap_or(0);
        let end = (start + limit + usize::from(fault == Fault::PageTooLarge)).min(all.len());
        let page = all.get(start..end).unwrap_or_default();
        let next = match fault {
            Fault::PageSkipsOne if end + 1 < all.len() => Some(end + 1),
            Fault::PageRepeatsOne if end < all.len() && limit > 1 => Some(end - 1),
            Fault::PagesRestart if end == all.len() => Some(0),
            Fault::PagesNeverEnd => Some(end.max(start + 1)),
            _ => Some(end).filter(|end| *end < all.len()),
        };
        let total = match fault {
            Fault::TotalOneMore => all.len() + 1,
            Fault::TotalOfPage => page.len(),
            Fault::FilterTotal => whole,
            _ => all.len(),
        };
        let mut data: Vec<Value> = page
            .iter()
            .map(|book| Value::Object(book.members.clone()))
            .collect();
        if fault == Fault::ListShowsFirst {
            for item in &mut data {
                item["title"] = all[0].members["title"].clone();
            }
        }
        json_reply(
            200,
            json!({"data": data, "next": next.map(|next| format!("c{next}")), "total": total}),
        )
    }
}

impl Library {
    fn list_shelves(&self, request: &Request, user: &str, fault: Fault) -> Reply {
        let number = |name: &str, other| {
            let text = request.query.get(name);
            text.and_then(|text| text.parse().ok()).unwrap_or(other)
        };
        let (limit, page): (usize, usize) = (number("limit", 20), number("page", 1));
        let own = format!("{user} ");
        let all = self.shelves.iter().filter(|(key, _)| key.starts_with(&own));
        let all: Vec<&Value> = all.map(|(_, shelf)| shelf).collect();
        let end = page * limit;
        let items: Vec<&&Value> = all.iter().skip(end - limit).take(limit).collect();
        let more = match fault {
            Fault::MoreDenied => false,
            Fault::MoreBehindTheLast => true,
            _ => end < all.len(),
        };
        let pages = all.len().div_ceil(limit) + usize::from(fault == Fault::TotalPagesWrong);
        json_reply(
            200,
            json!({"shelves": items, "hasMore": more, "totalPages": pages}),
        )
    }
}

/// Leaves the books that were made in the time that is asked for.
fn in_time(request: &Request, fault: Fault, books: &mut Vec<&Book>) {
    for (name, is_after) in [("createdAfter", true), ("createdBefore", false)] {
        let Some(bound) = request.query.get(name) else {
            continue;
        };
        let bound = bound.replace("%3A", ":");
        let is_after = match fault {
            Fault::TimeIgnored => continue,
            Fault::TimeReversed => !is_after,
            _ => is_after,
        };
        let made = |book: &Book| book.members["createdAt"].as_str().expect("a time") > &*bound;
        books.retain(|book| made(book) == is_after);
        if fault == Fault::TimeLosesOne {
            books.truncate(1);
        }
    }
}

fn is_known(name: &str) -> bool {
    [
        "title", "subtitle", "language", "price", "pages", "tags", "lent", "author", "pin",
        "bought", "size",
    ]
    .contains(&name)
}

/// The name of a member of another type than the document says.
fn wrong_member(body: &Value) -> Option<&str> {
    let is_right = |name: &str, value: &Value| match name {
        "title" | "language" | "pin" | "bought" => value.is_string(),
        "subtitle" => value.is_string() || value.is_null(),
        "price" | "pages" => value.is_number(),
        "tags" | "size" => value.is_array(),
        "lent" => value.is_boolean(),
        "author" => value.is_object(),
        _ => true,
    };
    let mut members = body.as_object()?.iter();
    let wrong = members.find(|(name, value)| !is_right(name, value))?;
    Some(wrong.0)
}
