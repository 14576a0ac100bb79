//! Creating an order: each member is checked by hand.

use super::*;

impl Shop {
    pub(super) fn create(&self, request: &Request) -> Reply {
        let content_type = request.headers.get("content-type").map(String::as_str);
        let right = match content_type {
            Some("application/json") => true,
            Some("text/plain") => self.has("any-content-type"),
            _ => self.has("any-content-type"),
        };
        if !right {
            return problem(415);
        }
        let made = || {
            Reply::json(201, &order(2))
                .header("Location", "/orders/o2")
                .header("X-Request-Id", "3f2504e0-4f89-41d3-9a0c-0305e82c3301")
        };
        let Ok(order) = serde_json::from_slice::<Value>(&request.body) else {
            return match self.0 {
                "malformed-accepted" if !request.body.is_empty() => made(),
                "nan-accepted" if request.body.windows(4).any(|part| part == b":NaN") => made(),
                "malformed-crash" if !request.body.is_empty() => {
                    Reply::json(500, &json!({"error": "stack"}))
                }
                "empty-accepted" if request.body.is_empty() => made(),
                "depth-crash" if request.body.starts_with(b"[[[[") => {
                    Reply::new(200).wire(Wire::Closed)
                }
                _ => problem(400),
            };
        };
        let order = match order {
            Value::Object(members) if self.has("name-case") => {
                let folded = members.into_iter().map(|(name, value)| {
                    let (first, rest) = name.split_at(name.len().min(1));
                    (first.to_ascii_lowercase() + rest, value)
                });
                Value::Object(folded.collect())
            }
            order => order,
        };
        match order
            .as_object()
            .is_some_and(|order| self.order_is_right(order))
        {
            true => made(),
            false => problem(400),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a schema with all its faults")]
    fn order_is_right(&self, order: &Map<String, Value>) -> bool {
        let known = [
            "sku", "qty", "price", "code", "kind", "version", "note", "day", "at", "ref", "email",
            "gift", "comment", "nick", "tags", "pair", "labels", "from", "until", "address",
            "payment",
        ];
        if !self.has("unknown-member") && order.keys().any(|name| !known.contains(&name.as_str())) {
            return false;
        }
        let text = |name: &str, fits: &dyn Fn(&str) -> bool| {
            order
                .get(name)
                .is_none_or(|value| value.as_str().is_some_and(fits))
        };
        let length =
            |text: &str, least: usize, most: usize| (least..=most).contains(&text.chars().count());
        let sku = match order.get("sku") {
            None => self.has("required"),
            Some(sku) => sku
                .as_str()
                .is_some_and(|sku| is_sku(sku) || self.has("pattern")),
        };
        let qty = match order.get("qty") {
            Some(Value::String(_)) => self.has("type"),
            Some(Value::Null) => self.has("null"),
            Some(qty) => match whole(qty) {
                None => {
                    self.has("fraction")
                        && qty.as_f64().is_some_and(|qty| (1.0..=10.0).contains(&qty))
                }
                Some(10) => !self.has("refuses-maximum"),
                Some(11) => self.has("maximum"),
                Some(0) => self.has("minimum"),
                Some(qty) => (1..=10).contains(&qty),
            },
            None => false,
        };
        let price = order.get("price").is_none_or(|price| {
            let Some(price) = price.as_f64() else {
                return false;
            };
            (price > 0.0 || price == 0.0 && self.has("exclusive-minimum"))
                && price <= 1000.0
                && (price * 2.0).fract() == 0.0
                || self.has("multiple-of") && price > 0.0 && price <= 1000.0
        });
        let code = order.get("code").is_none_or(|code| {
            let whole = whole(code);
            whole.is_some_and(|code| i32::try_from(code).is_ok() || self.has("int32"))
        });
        let kind = text("kind", &|kind| {
            kind == "small"
                || kind == "large" && !self.has("refuses-enum")
                || self.has("enum")
                || self.has("enum-case") && ["SMALL", "LARGE"].contains(&kind)
        });
        let version = order
            .get("version")
            .is_none_or(|version| version == "v1" || version.is_string() && self.has("const"));
        let note = text("note", &|note| {
            length(note, 2, 20)
                || note.chars().count() == 21 && self.has("max-length")
                || note.chars().count() == 1 && self.has("min-length")
        });
        let note_in_bytes = !self.has("length-in-bytes") || text("note", &|note| note.len() <= 20);
        let date = |name: &str| {
            text(name, &|day| {
                is_date(day) || self.has("date") && name == "day"
            })
        };
        let at = text("at", &|at| is_time(at) || self.has("date-time"));
        let reference = text("ref", &|uuid| is_uuid(uuid) || self.has("uuid"));
        let email = text("email", &|email| {
            email
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
                || self.has("email")
        });
        let gift = order
            .get("gift")
            .is_none_or(|gift| gift.is_boolean() || gift.is_string() && self.has("boolean"));
        let comment = match order.get("comment") {
            Some(Value::Null) => !self.has("refuses-null"),
            _ => text("comment", &|comment| length(comment, 0, 30)),
        };
        let nick = text("nick", &|nick| nick != "admin" || self.has("not"));
        let address = match order.get("address") {
            Some(Value::Object(address)) => self.address(address),
            _ => false,
        };
        let dependent = !order.contains_key("from")
            || order.contains_key("until")
            || self.has("dependent-required");
        let optional = !self.has("refuses-optional") || !order.contains_key("gift");
        let payment = order
            .get("payment")
            .is_none_or(|payment| self.payment(payment));
        sku && qty
            && price
            && code
            && kind
            && version
            && note
            && note_in_bytes
            && date("day")
            && date("from")
            && date("until")
            && at
            && reference
            && email
            && gift
            && comment
            && nick
            && address
            && dependent
            && optional
            && payment
            && order.get("tags").is_none_or(|tags| self.tags(tags))
            && order.get("pair").is_none_or(|pair| self.pair(pair))
            && order.get("labels").is_none_or(|labels| self.labels(labels))
    }

    fn address(&self, address: &Map<String, Value>) -> bool {
        let city = match address.get("city") {
            None => self.has("nested-required"),
            Some(city) => city
                .as_str()
                .is_some_and(|city| (1..=40).contains(&city.chars().count())),
        };
        let zip = address.get("zip").is_none_or(|zip| {
            let zip = zip.as_str();
            zip.is_some_and(|zip| {
                zip.len() == 5 && zip.bytes().all(|byte| byte.is_ascii_digit())
                    || self.has("nested-pattern")
            })
        });
        let closed = address
            .keys()
            .all(|name| ["city", "zip"].contains(&name.as_str()));
        city && zip && (closed || self.has("nested-unknown"))
    }

    fn payment(&self, payment: &Value) -> bool {
        let Some(members) = payment.as_object() else {
            return false;
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let only = |names: [&str; 2]| members.keys().all(|name| names.contains(&name.as_str()));
        match text("kind") {
            Some("card") => {
                let digits = |number: &str| {
                    number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit())
                };
                let number = match members.get("number") {
                    None => self.has("branch-required"),
                    Some(_) => text("number").is_some_and(digits),
                };
                number && only(["kind", "number"])
            }
            Some("bank") => {
                let iban =
                    text("iban").is_some_and(|iban| (4..=34).contains(&iban.chars().count()));
                iban && only(["kind", "iban"]) && !self.has("refuses-branch")
            }
            Some(_) => self.has("branch-kind"),
            None => false,
        }
    }

    fn tags(&self, tags: &Value) -> bool {
        let Some(items) = tags.as_array() else {
            return false;
        };
        let count = items.len() >= usize::from(!self.has("min-items"))
            && items.len() <= if self.has("max-items") { 4 } else { 3 };
        let unique = items
            .iter()
            .enumerate()
            .all(|(index, item)| !items[..index].contains(item));
        let item = |item: &Value| match item {
            Value::String(text) => (1..=9).contains(&text.chars().count()),
            Value::Number(_) => self.has("item-type"),
            _ => false,
        };
        count && (unique || self.has("unique-items")) && items.iter().all(item)
    }

    fn pair(&self, pair: &Value) -> bool {
        match pair.as_array().map(Vec::as_slice) {
            Some([Value::String(_), second]) => {
                whole(second).is_some() || second.is_string() && self.has("tuple-type")
            }
            Some([Value::String(_), second, _]) => {
                whole(second).is_some() && self.has("tuple-length")
            }
            _ => false,
        }
    }

    fn labels(&self, labels: &Value) -> bool {
        let Some(members) = labels.as_object() else {
            return false;
        };
        let name =
            |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let value = |value: &Value| match value {
            Value::String(text) => text.chars().count() <= 5,
            Value::Number(_) | Value::Null => self.has("additional-schema"),
            _ => false,
        };
        (members.len() <= 2 || self.has("max-properties"))
            && (members.keys().all(name) || self.has("property-names"))
            && members.values().all(value)
    }
}
