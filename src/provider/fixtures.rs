//! For tests: the providers, built once, a delivery to make a request of, and JSON by chance, the same for the same seed.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::{Api, OutboundRequest, PROVIDERS, Providers, Settings};
use crate::domain::{DueDelivery, Event, ProviderName, ReceiverUrl, SchemePolicy, Secret, Target};

/// Every provider with the default settings, built once for all tests.
pub(crate) static BUILT: LazyLock<Providers> =
    LazyLock::new(|| Providers::build(PROVIDERS, &Settings::default()).unwrap());

/// The API that a provider has built.
pub(crate) fn api(provider: ProviderName) -> &'static Api {
    &BUILT.get(provider).unwrap().api
}

/// The first attempt of a delivery.
pub(super) fn due(provider: ProviderName, event_type: &str, data: &str) -> DueDelivery {
    let created_at = "2025-11-04T15:05:00Z".parse().unwrap();
    let event = Event {
        id: "evt_2ofTA13AD0xBtbEvBl20aEb1hEu".to_owned(),
        provider,
        event_type: event_type.to_owned(),
        owner: Some("client_2ofTA13AD0xBtbEvBl20aEb1hEu".to_owned()),
        account_id: None,
        data: data.to_owned(),
        sequence: 15,
        created_at,
        trace: None,
    };
    let url = ReceiverUrl::parse("https://example.com/", SchemePolicy::HttpsOnly).unwrap();
    DueDelivery {
        number: 1,
        id: "0b9d6a52-5f0c-4c1e-9a37-2f6f0f6a8d11".parse().unwrap(),
        attempt: 1,
        due_at: created_at,
        first_attempt_at: created_at,
        once: false,
        manual: 0,
        resume_at: None,
        event: Arc::new(event),
        target: std::sync::Arc::new(Target {
            lane: 1,
            webhook_id: "whk_2ofTA13AD0xBtbEvBl20aEb1hEu".to_owned(),
            url,
            signing_secret: Some(Secret::new("s")),
            authorization: None,
        }),
    }
}

/// The value of a header.
pub(super) fn header<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|header| header.name == name);
    found.map(|header| &*header.value)
}

/// A body as text.
pub(super) fn text_of(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

/// Numbers from a seed, by xorshift64.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn from_seed(seed: u64) -> Self {
        assert_ne!(seed, 0);
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// The tokens of a JSON object, whose numbers and strings a parser might write otherwise.
    pub(super) fn object_tokens(&mut self) -> Vec<String> {
        let mut tokens = Vec::new();
        self.write_object(3, &mut tokens);
        tokens
    }

    fn write_object(&mut self, depth: usize, tokens: &mut Vec<String>) {
        tokens.push("{".into());
        for index in 0..self.below(5) {
            if index > 0 {
                tokens.push(",".into());
            }
            tokens.push(self.string_token());
            tokens.push(":".into());
            self.write_value(depth - 1, tokens);
        }
        tokens.push("}".into());
    }

    fn write_value(&mut self, depth: usize, tokens: &mut Vec<String>) {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => tokens.push((*self.pick(&["true", "false", "null"])).into()),
            1 | 2 => tokens.push(self.number_token()),
            3 => tokens.push(self.string_token()),
            4 => self.write_object(depth, tokens),
            _ => {
                tokens.push("[".into());
                for index in 0..self.below(4) {
                    if index > 0 {
                        tokens.push(",".into());
                    }
                    self.write_value(depth - 1, tokens);
                }
                tokens.push("]".into());
            }
        }
    }

    fn number_token(&mut self) -> String {
        let odd = [
            "1.10",
            "-0",
            "-0.0e-0",
            "1e5",
            "1E+05",
            "9007199254740993",
            "18446744073709551616",
            "123456789012345678901234567890.10",
            "0.1000000000000000055511151231257827",
            "1.7976931348623157e308",
            "5e-324",
        ];
        if self.below(3) > 0 {
            return (*self.pick(&odd)).into();
        }
        format!("-{}.{:05}", self.below(1 << 30), self.below(100_000))
    }

    fn string_token(&mut self) -> String {
        let parts = [
            "a",
            "Z",
            "0",
            " ",
            "  ",
            "é",
            "e\u{301}",
            "漢",
            "😀",
            "\u{a0}",
            "\u{2028}",
            "\u{7f}",
            "\\u00e9",
            "\\u0000",
            "\\u0020",
            "\\ud83d\\ude00",
            "\\\"",
            "\\\\",
            "\\/",
            "/",
            "\\n",
            "\\t",
            "\\b",
            "{",
            "}",
            "[ ",
            " ]",
            " : ",
            ",",
            "'",
            "~1",
        ];
        let text: String = (0..self.below(8)).map(|_| *self.pick(&parts)).collect();
        format!("\"{text}\"")
    }

    /// The text of these tokens with space between them.
    pub(super) fn spaced(&mut self, tokens: &[String]) -> String {
        let spaces = ["", "", " ", "\n  ", "\t", "\r\n", "    "];
        let mut text = (*self.pick(&spaces)).to_owned();
        for token in tokens {
            text += token;
            text += *self.pick(&spaces);
        }
        text
    }

    /// A name that no provider's resource has.
    pub(super) fn name(&mut self) -> String {
        let names = [
            "",
            "body",
            "a/b",
            "~",
            "~1",
            "é 😀",
            "Transaction",
            "data",
            "0",
        ];
        (*self.pick(&names)).to_owned()
    }

    /// A value of any type, nested so deep at most.
    pub(super) fn value(&mut self, depth: usize) -> Value {
        let names = [
            "id", "status", "type", "source", "amount", "name", "", "a/b~c",
        ];
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(1_000)),
            3 => json!(1.5),
            4 => json!(self.pick(&["", "x", "COMPLETED", "active", "2025-11-04T15:05:00Z"])),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let mut object = Map::new();
                for _ in 0..self.below(6) {
                    object.insert((*self.pick(&names)).to_owned(), self.value(depth - 1));
                }
                Value::Object(object)
            }
        }
    }

    /// A value that is not an object.
    pub(super) fn value_but_object(&mut self) -> Value {
        match self.value(3) {
            Value::Object(_) => Value::Null,
            other => other,
        }
    }

    /// Puts a value of another type at some place in `value`.
    pub(super) fn spoil(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() && self.below(5) > 0 => {
                let names: Vec<String> = members.keys().cloned().collect();
                let name = self.pick(&names);
                self.spoil(&mut members[name.as_str()]);
            }
            Value::Object(_) => *value = json!("no object"),
            _ => *value = json!({ "not": "expected" }),
        }
    }

    /// Takes a member out of an object that has any.
    pub(super) fn leave_out(&mut self, object: &mut Value) {
        let members = object.as_object_mut().unwrap();
        let names: Vec<String> = members.keys().cloned().collect();
        if !names.is_empty() {
            members.shift_remove(self.pick(&names));
        }
    }
}
