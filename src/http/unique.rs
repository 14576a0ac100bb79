//! Reads a JSON text as a value and names every member that stands twice in its object.
//!
//! A value keeps the last of two members of one name, a reader of the text may take the first: who judges the value and passes the text
//! on must not have both. For bodies of which we pass something on as it came.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::fault::member;

/// Reads `text`; gives the pointers of the members that stand twice beside the value.
///
/// # Errors
/// The error of serde for a text that is not JSON.
pub(super) fn read(text: &str) -> serde_json::Result<(Value, Vec<String>)> {
    let mut repeated = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed(&mut repeated).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated))
}

/// Reads one value; the pointers that it adds start at this value.
struct Seed<'a>(&'a mut Vec<String>);

impl Seed<'_> {
    /// Puts `step` before the pointers that were added since there were `known`.
    fn step(&mut self, known: usize, step: &str) {
        for pointer in &mut self.0[known..] {
            pointer.insert_str(0, step);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let known = self.0.len();
            let Some(value) = items.next_element_seed(Seed(self.0))? else {
                return Ok(Value::Array(values));
            };
            if self.0.len() > known {
                self.step(known, &format!("/{}", values.len()));
            }
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let known = self.0.len();
            let value = members.next_value_seed(Seed(self.0))?;
            if self.0.len() > known {
                self.step(known, &member("", &name));
            }
            if values.contains_key(&name) {
                self.0.push(member("", &name));
            }
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_serde_json_reads_it() {
        for text in [
            "null",
            " true ",
            "[1, -1, 1.10, 1e5, 9007199254740993, 18446744073709551615, -0, 0.1e-7]",
            r#"{"b":{"a":[{}],"c":""},"a":"\u00e9\ud83d\ude00"}"#,
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text).unwrap(), (expected, Vec::new()), "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["", "{", "1 2", "[1,]", r#""\ud800""#, "1e999", "nul", &deep] {
            assert!(read(text).is_err(), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn members_that_stand_twice_are_named_by_their_pointers() {
        let text = r#"{"a":1,"b":[0,{"c/d":1,"c\/d":{"e":1,"\u0065":2}}],"a":2,"a":3}"#;
        let (value, repeated) = read(text).unwrap();
        assert_eq!(value["a"], 3);
        assert_eq!(repeated, ["/b/1/c~1d/e", "/b/1/c~1d", "/a", "/a"]);
    }
}
