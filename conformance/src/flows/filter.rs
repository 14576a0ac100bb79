//! Filtered lists: query parameters named like a member of the items.

use serde_json::{Map, Value};

use super::create::Thing;
use super::driver::{Driver, Stopped};
use super::list::Walk;
use super::naming::{is_version, plain};
use super::order::{ORDERS, Order, orders_of};
use crate::case::serialize::{decode, text};
use crate::document::pointer;
use crate::finding::{FlowFault, Severity};
use crate::rule::flows as rules;

/// Most parameters of a list that are tried.
const PARAMETERS: usize = 4;

/// Parameters that say in which form the items come, and not which ones.
const FORMS: [&str; 12] = [
    "language", "lang", "locale", "currency", "timezone", "tz", "format", "unit", "units",
    "fields", "include", "expand",
];

/// A text that no item has.
const NOTHING: &str = "conformance7q3x9zk";

/// A query parameter that is named as a member of the items.
struct Filter {
    /// Its name, and that of the member.
    name: String,
    member: String,
    /// The values that it takes; none where it takes any text.
    choices: Vec<Value>,
    /// Whether it takes a list of them, and each as a parameter of its own.
    list: Option<bool>,
}

impl Driver<'_> {
    /// Asks a list for the items that have a value, and for all of them in an order.
    pub(super) async fn filters(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let Some(list) = self.resources[index].list else {
            return Ok(());
        };
        if self.queries(list).is_empty() {
            return Ok(());
        }
        let Some(mut all) = self.whole(index, above, &[]).await? else {
            return Ok(());
        };
        let (filters, orders) = self.members_asked_for(index, list, &all);
        for filter in filters {
            let asked = match filter.choices.is_empty() {
                true => Some(vec![Value::from(NOTHING)]),
                false => {
                    let wanted = self.wanted(index, above, thing, &filter, &mut all).await?;
                    wanted.map(|wanted| vec![wanted])
                }
            };
            let Some(mut asked) = asked else { continue };
            // One that is in no item of the others, so that the first value is not all that counts.
            if filter.list.is_some() {
                let is_other = |one: &&Value| !asked.contains(one);
                let other = filter.choices.iter().find(is_other).cloned();
                asked.splice(0..0, other);
            }
            let expected = self.own_items(index, &all, &filter, &asked);
            self.filtered((index, above, list), &expected, &filter, &asked)
                .await?;
        }
        for order in orders {
            self.ordered((index, above, list), &order).await?;
        }
        let times: Vec<(String, String)> = self
            .queries(list)
            .into_iter()
            .map(|(name, schema, _)| (name, schema))
            .collect();
        self.ranges((index, above, list), &all, &times).await
    }

    /// The names and schemas of the query parameters of a list that are not those of its pages.
    fn queries(&self, list: usize) -> Vec<(String, String, bool)> {
        let paging = self.paging(list);
        let parameters = self.operation(list).parameters(self.session.document);
        let own = parameters.iter().filter_map(|one| {
            let member = |name| one.value.get(name).and_then(Value::as_str);
            let name = member("name").filter(|_| member("in") == Some("query"))?;
            let explodes = one.value.get("explode") != Some(&Value::Bool(false));
            let is_form = member("style").is_none_or(|style| style == "form");
            let schema = pointer::join(&one.pointer, "schema");
            (is_form && !paging.takes(name)).then(|| (name.to_owned(), schema, explodes))
        });
        own.collect()
    }

    /// The filters and orders of a list by members of the items that it has.
    fn members_asked_for(
        &self,
        index: usize,
        list: usize,
        all: &Walk,
    ) -> (Vec<Filter>, Vec<Order>) {
        let subschemas = self.session.judge.schemas.subschemas();
        let body = all.last.body.clone().unwrap_or_default();
        let item = self.item_schemas(list, &body, &self.resources[index].name);
        let item = subschemas.in_place(&item);
        let declared: Vec<&String> = all
            .items
            .iter()
            .filter_map(|(_, item)| item.as_object())
            .flat_map(Map::keys)
            .collect();
        let member = |name: &str| {
            let own = declared.iter().find(|known| plain(known) == plain(name));
            own.map(|name| (*name).clone())
        };
        let (mut filters, mut orders) = (Vec::new(), Vec::new());
        for (name, schema, explodes) in self.queries(list) {
            let own = subschemas.in_place(&[schema]);
            let choices = choices(
                &own.iter()
                    .filter_map(|at| subschemas.object(at))
                    .collect::<Vec<_>>(),
            );
            if ORDERS.contains(&plain(&name).as_str()) {
                orders.extend(orders_of(&name, &choices, &member));
                continue;
            }
            let Some(member) = member(&name).filter(|_| !FORMS.contains(&plain(&name).as_str()))
            else {
                continue;
            };
            let of_item = subschemas.item(&own, 0);
            let of_item = subschemas.in_place(&of_item);
            let each = |all: &[String]| -> Vec<Map<String, Value>> {
                all.iter()
                    .filter_map(|at| subschemas.object(at))
                    .cloned()
                    .collect()
            };
            let (single, items) = (each(&own), each(&of_item));
            let is_list = single
                .iter()
                .any(|one| one.get("type") == Some(&"array".into()));
            let choices = match is_list {
                true => self::choices(&items.iter().collect::<Vec<_>>()),
                false => choices,
            };
            let shown = subschemas.in_place(&subschemas.member(&item, &member).schemas());
            let is_text = !is_list && is_any_text(&single) && is_any_text(&each(&shown));
            if is_version(&name) || choices.is_empty() && !is_text {
                continue;
            }
            // Values that the parameter does not have tell that it means something else.
            let is_known = |item: &Value| {
                let value = item.get(&member).unwrap_or(&Value::Null);
                value.is_null() || choices.contains(value) || is_text && value.is_string()
            };
            if all.items.iter().all(|(_, item)| is_known(item)) {
                filters.push(Filter {
                    name,
                    member,
                    choices,
                    list: is_list.then_some(explodes),
                });
            }
        }
        filters.truncate(PARAMETERS);
        (filters, orders)
    }

    /// The value of a thing that other items do not have; one that has another is created where all have the same.
    async fn wanted(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
        filter: &Filter,
        all: &mut Walk,
    ) -> Result<Option<Value>, Stopped> {
        let Some(own) = all
            .find(&thing.id)
            .and_then(|item| item.get(&filter.member))
            .cloned()
        else {
            return Ok(None);
        };
        let is_other = |walk: &Walk| {
            let mut items = walk.items.iter();
            items.any(|(_, item)| item.get(&filter.member).is_some_and(|one| *one != own))
        };
        if own.is_null() || is_other(all) {
            return Ok(Some(own).filter(|own| !own.is_null()));
        }
        let create = self.resources[index].create;
        let schema = create.and_then(|create| self.schemas_of(create).0);
        let (Some(schema), Some(sent)) = (schema, &thing.sent) else {
            return Ok(None);
        };
        let body = self.another(index, &schema, sent);
        let others = filter.choices.iter().filter(|one| **one != own);
        let bodies = others.filter_map(|other| {
            let mut other_body = body.clone();
            other_body
                .as_object_mut()?
                .insert(filter.member.clone(), other.clone());
            self.bodies
                .is_valid(&schema, &other_body)
                .then_some(other_body)
        });
        let bodies: Vec<Value> = bodies.take(2).collect();
        if bodies.is_empty() || self.create_another(index, above, bodies).await?.is_none() {
            return Ok(None);
        }
        if let Some(more) = self.whole(index, above, &[]).await? {
            *all = more;
        }
        Ok(is_other(all).then_some(own))
    }

    /// The ids of items of a list that the run created, and that have one of some values: nobody else changes them.
    fn own_items(&self, index: usize, all: &Walk, filter: &Filter, asked: &[Value]) -> Vec<String> {
        let own = self.live.iter().filter(|live| live.resource == index);
        let own: Vec<String> = own
            .filter_map(|live| Some(decode(live.path.last()?)))
            .collect();
        let items = all.items.iter().filter(|(id, item)| {
            let value = item.get(&filter.member);
            own.contains(id) && value.is_some_and(|value| asked.contains(value))
        });
        items.map(|(id, _)| id.clone()).collect()
    }

    /// Asks for the items with some values. A fault has to show twice: others may change the list meanwhile.
    async fn filtered(
        &mut self,
        (index, above, list): (usize, &[String], usize),
        expected: &[String],
        filter: &Filter,
        asked: &[Value],
    ) -> Result<(), Stopped> {
        let texts = asked.iter().map(text);
        let query = match filter.list {
            Some(true) => texts.map(|text| (filter.name.clone(), text)).collect(),
            _ => vec![(filter.name.clone(), texts.collect::<Vec<_>>().join(","))],
        };
        let mut before: Option<Vec<&'static str>> = None;
        loop {
            let Some(walk) = self.whole(index, above, &query).await? else {
                return Ok(());
            };
            let found = faults(&walk, expected, filter, asked, &query);
            if found.is_empty() {
                return Ok(());
            }
            let Some(before) = &before else {
                before = Some(found.iter().map(|(rule, _)| *rule).collect());
                continue;
            };
            for (rule, fault) in found.into_iter().filter(|(rule, _)| before.contains(rule)) {
                // The parameter may be a search, which also finds similar texts.
                let severity = match filter.choices.is_empty() {
                    true => Severity::Warning,
                    false => Severity::Breaking,
                };
                self.note_as(rule, severity, list, fault, Some(&walk.last));
            }
            return Ok(());
        }
    }
}

/// Returns the faults of a filtered list: wrong items, missing items, or a wrong total.
fn faults(
    walk: &Walk,
    expected: &[String],
    filter: &Filter,
    asked: &[Value],
    query: &[(String, String)],
) -> Vec<(&'static str, FlowFault)> {
    let at = pointer::join("", &filter.member);
    let pairs = query.iter().map(|(name, value)| format!("{name}={value}"));
    let query = pairs.collect::<Vec<_>>().join("&");
    let is_asked = |found: &Value| match filter.choices.is_empty() {
        false => asked.contains(found),
        true => found.as_str().is_none_or(|text| {
            let text = text.to_lowercase();
            asked
                .iter()
                .filter_map(Value::as_str)
                .any(|asked| text.contains(asked))
        }),
    };
    let others = walk
        .items
        .iter()
        .filter_map(|(_, item)| item.get(&filter.member));
    let mut others = others.filter(|found| !is_asked(found));
    let mut found = Vec::new();
    if let Some(other) = others.next() {
        let fault = FlowFault::Unfiltered {
            asked: query,
            at,
            found: Some(other.clone()),
        };
        return vec![(rules::FILTER_APPLIED, fault)];
    }
    let is_missing = |id: &String| walk.find(id).is_none();
    if expected.iter().any(is_missing) {
        let fault = FlowFault::Unfiltered {
            asked: query.clone(),
            at,
            found: None,
        };
        found.push((rules::FILTER_APPLIED, fault));
    }
    let counted = walk.items.len() as u64;
    // DataTables reports both the unfiltered total (`recordsTotal`) and the filtered one.
    let total = walk
        .total
        .as_ref()
        .filter(|total| !total.is_vague && !plain(&total.at).ends_with("recordstotal"));
    if let Some(total) = total.filter(|total| total.count != counted && found.is_empty()) {
        let fault = FlowFault::Total {
            at: total.at.clone(),
            stated: total.count,
            counted,
            asked: Some(query),
        };
        found.push((rules::TOTAL_TRUE, fault));
    }
    found
}

/// The values that schemas allow, where they are few.
fn choices(schemas: &[&Map<String, Value>]) -> Vec<Value> {
    let listed = schemas.iter().find_map(|one| one.get("enum")?.as_array());
    let is_boolean = schemas
        .iter()
        .any(|one| one.get("type") == Some(&"boolean".into()));
    let mut all = match listed {
        Some(listed) => listed.clone(),
        None if is_boolean => vec![Value::Bool(true), Value::Bool(false)],
        None => Vec::new(),
    };
    all.retain(|one| one.is_string() || one.is_boolean() || one.is_number());
    all
}

/// Whether schemas allow any text.
fn is_any_text(schemas: &[Map<String, Value>]) -> bool {
    const NARROW: [&str; 4] = ["enum", "const", "format", "pattern"];
    let is_string = |one: &Map<String, Value>| match one.get("type") {
        Some(Value::Array(types)) => types.contains(&"string".into()),
        Some(one) => one == "string",
        None => false,
    };
    let length = NOTHING.len() as u64;
    let is_long_enough = |one: &Map<String, Value>| {
        let most = one.get("maxLength").and_then(Value::as_u64);
        most.is_none_or(|most| most >= length)
    };
    schemas.iter().any(is_string)
        && schemas.iter().all(|one| {
            !NARROW.iter().any(|keyword| one.contains_key(*keyword)) && is_long_enough(one)
        })
}
