//! Lists that are asked for an order, by members that have one: numbers and times.

use serde_json::Value;

use super::driver::{Driver, Stopped};
use super::naming::words;
use super::time::time_of;
use crate::document::pointer;
use crate::finding::FlowFault;
use crate::rule::flows as rules;

/// Parameters that take an order.
pub(super) const ORDERS: [&str; 7] = [
    "sort",
    "sortby",
    "order",
    "orderby",
    "ordering",
    "sortorder",
    "sortfield",
];

/// An order of the items by a member.
pub(super) struct Order {
    name: String,
    value: String,
    member: String,
    /// Whether the largest comes first; none where it is not said.
    is_descending: Option<bool>,
}

impl Driver<'_> {
    /// Asks for all items in an order.
    pub(super) async fn ordered(
        &mut self,
        (index, above, list): (usize, &[String], usize),
        order: &Order,
    ) -> Result<(), Stopped> {
        let query = [(order.name.clone(), order.value.clone())];
        let Some(walk) = self.whole(index, above, &query).await? else {
            return Ok(());
        };
        let values: Option<Vec<(i128, Value)>> = walk
            .items
            .iter()
            .map(|(_, item)| {
                let value = item.get(&order.member)?;
                Some((rank(value)?, value.clone()))
            })
            .collect();
        let Some(values) = values else { return Ok(()) };
        let breaks = |is_descending: bool| {
            let mut pairs = values.windows(2);
            pairs.find(|pair| match is_descending {
                true => pair[0].0 < pair[1].0,
                false => pair[0].0 > pair[1].0,
            })
        };
        let broken = match order.is_descending {
            Some(is_descending) => breaks(is_descending),
            None => breaks(true).and_then(|_| breaks(false)),
        };
        if let Some([before, after]) = broken {
            let fault = FlowFault::Unsorted {
                asked: format!("{}={}", order.name, order.value),
                at: pointer::join("", &order.member),
                before: before.1.clone(),
                after: after.1.clone(),
            };
            self.note(rules::ORDER_KEPT, list, fault, Some(&walk.last));
        }
        Ok(())
    }
}

/// The orders that a parameter takes: a member of the items with a sign or a word for the direction.
pub(super) fn orders_of(
    name: &str,
    choices: &[Value],
    member: &dyn Fn(&str) -> Option<String>,
) -> Vec<Order> {
    let read = |value: &str| {
        let (sign, bare) = match value.strip_prefix('-') {
            Some(bare) => (Some(true), bare),
            None => match value.strip_prefix('+') {
                Some(bare) => (Some(false), bare),
                None => (None, value),
            },
        };
        let mut words = words(bare);
        let word = words.last().and_then(|last| match last.as_str() {
            "desc" | "descending" => Some(true),
            "asc" | "ascending" => Some(false),
            _ => None,
        });
        if word.is_some() {
            words.pop();
        }
        Some((member(&words.concat())?, sign.or(word)))
    };
    let all: Vec<(&str, String, Option<bool>)> = choices
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|value| {
            let (member, is_descending) = read(value)?;
            Some((value, member, is_descending))
        })
        .collect();
    let found = all.iter().map(|(value, member, is_descending)| {
        // Without a sign it is the other one of those with a sign.
        let opposite = all
            .iter()
            .find(|(_, other, _)| other == member && is_descending.is_none());
        let opposite = opposite.and(all.iter().find_map(|(_, other, direction)| {
            direction
                .filter(|_| other == member)
                .map(|direction| !direction)
        }));
        Order {
            name: name.to_owned(),
            value: (*value).to_owned(),
            member: member.clone(),
            is_descending: is_descending.or(opposite),
        }
    });
    found.take(4).collect()
}

/// A number or a time as a number that rises with it. Texts have orders that only the server knows.
fn rank(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            let number = number.as_f64()? * 1000.0;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it saturates, which keeps the order"
            )]
            Some(number as i128)
        }
        _ => time_of(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_a_member_with_a_direction() {
        let member = |name: &str| match name {
            "createdat" => Some("createdAt".to_owned()),
            "amount" => Some("amount".to_owned()),
            _ => None,
        };
        let of = |choices: Value| -> Vec<(String, String, Option<bool>)> {
            let choices = choices.as_array().cloned().unwrap_or_default();
            let all = orders_of("sort", &choices, &member).into_iter();
            all.map(|one| (one.value, one.member, one.is_descending))
                .collect()
        };
        let own =
            |value: &str, member: &str, direction| (value.to_owned(), member.to_owned(), direction);
        assert_eq!(
            of(json!(["amount", "-amount", "relevance"])),
            [
                own("amount", "amount", Some(false)),
                own("-amount", "amount", Some(true))
            ]
        );
        assert_eq!(
            of(json!(["created_at_desc", "created_at:asc"])),
            [
                own("created_at_desc", "createdAt", Some(true)),
                own("created_at:asc", "createdAt", Some(false))
            ]
        );
        assert_eq!(
            of(json!(["amount", "createdAt"])),
            [
                own("amount", "amount", None),
                own("createdAt", "createdAt", None)
            ]
        );
        assert_eq!(of(json!(["asc", "desc"])), []);
    }
}
