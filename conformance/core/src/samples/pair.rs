//! Pairing: which request sample gets which documented answer.
//!
//! In this order: `x-replay` says how; the same name; the unnamed `example` on both sides; a single request and a single successful
//! answer of which one is unnamed; an answer of an operation that needs no body stands alone (a plain call); a 401 is the first
//! successful sample without credentials. A request sample that no answer bears the name of expects the first documented 2xx, else
//! the first 3xx, else `default`; an answer under one of these takes the place of a successful one where no 2xx is documented.

use serde_json::Value;

use super::Plan;
use super::collect::{self, Sample};
use super::recipe;
use super::request::{Choice, Draft, Source};
use crate::case::{Answer, Case, is_success};
use crate::document::{Document, Operation};
use crate::finding::{Finding, Place, RecipeProblem, ReplayFault, Severity, Unreplayable};
use crate::rule::replay as rules;

/// A documented answer and the status it stands under.
struct Promise {
    status: String,
    sample: Sample,
}

/// A pair whose case is still to be made.
struct Pair {
    choice: Choice,
    promise: Option<usize>,
    expected: String,
}

pub(super) fn plan(document: &Document, operation: &Operation<'_>) -> Plan {
    let source = Source::new(document, operation);
    let responses = operation.responses(document);
    let mut promises = Vec::new();
    for (status, response) in &responses {
        let samples = collect::of_content(document, response).into_iter();
        promises.extend(samples.map(|sample| Promise {
            status: status.clone(),
            sample,
        }));
    }
    let mut planner = Planner {
        choices: source.choices(),
        source,
        promises,
        statuses: responses.into_iter().map(|(status, _)| status).collect(),
        plan: Plan {
            operation: operation.subject(),
            ..Plan::default()
        },
    };
    planner.run();
    planner.plan
}

struct Planner<'a> {
    source: Source<'a>,
    choices: Vec<Choice>,
    promises: Vec<Promise>,
    statuses: Vec<String>,
    plan: Plan,
}

impl Planner<'_> {
    fn run(&mut self) {
        self.plan.bare = self.choices.is_empty() && self.promises.is_empty();
        let mut answered = vec![false; self.promises.len()];
        let pairs = self.pairs(&mut answered);
        for pair in &pairs {
            self.add(pair);
        }
        for (index, _) in answered
            .iter()
            .enumerate()
            .filter(|(_, answered)| !**answered)
        {
            self.add_derived(index, &pairs);
        }
    }

    /// The pairs that need no successful case to start from; marks the promises they keep.
    fn pairs(&self, answered: &mut [bool]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for choice in &self.choices {
            let promise = self.promise_of(choice, answered);
            if let Some(index) = promise {
                answered[index] = true;
            }
            let expected = match promise {
                Some(index) => self.promises[index].status.clone(),
                None => self.default_status(),
            };
            pairs.push(Pair {
                choice: choice.clone(),
                promise,
                expected,
            });
        }
        self.pair_the_only_two(&mut pairs, answered);
        let Some(plain) = self.source.plain() else {
            return pairs;
        };
        for (index, promise) in self.promises.iter().enumerate() {
            if !answered[index]
                && self.is_promised(&promise.status)
                && !has_recipe(self.source.document, &promise.sample)
            {
                answered[index] = true;
                // A parameter sample without a name is the request of the answer that stands alone.
                let twin = pairs
                    .iter()
                    .position(|pair| pair.choice.name.is_none() && pair.promise.is_none());
                let choice = twin.map_or_else(|| plain.clone(), |twin| pairs.remove(twin).choice);
                let choice = Choice {
                    plain: choice.plain || promise.sample.name.is_some(),
                    ..choice
                };
                pairs.push(Pair {
                    choice,
                    promise: Some(index),
                    expected: promise.status.clone(),
                });
            }
        }
        pairs
    }

    /// The answer with the same name, or the unnamed one for an unnamed request; a success before a refusal.
    fn promise_of(&self, choice: &Choice, answered: &[bool]) -> Option<usize> {
        let fits = |index: &usize| {
            let promise = &self.promises[*index];
            promise.sample.name == choice.name && !has_recipe(self.source.document, &promise.sample)
        };
        let mut fitting: Vec<usize> = (0..self.promises.len()).filter(fits).collect();
        // The same name in another media type of the body gets the same answer.
        fitting.sort_by_key(|index| (!is_success(&self.promises[*index].status), answered[*index]));
        let found = fitting.first().copied()?;
        // An unnamed refusal says nothing about which request is refused.
        let refusal = choice.name.is_none() && !self.is_promised(&self.promises[found].status);
        (!refusal).then_some(found)
    }

    /// One request sample and one successful answer belong together even when only one of them has a name.
    fn pair_the_only_two(&self, pairs: &mut [Pair], answered: &mut [bool]) {
        let successes: Vec<usize> = (0..self.promises.len())
            .filter(|index| {
                self.is_promised(&self.promises[*index].status)
                    && !has_recipe(self.source.document, &self.promises[*index].sample)
            })
            .collect();
        if let ([pair], [only]) = (&mut *pairs, successes.as_slice())
            && pair.promise.is_none()
            && pair.choice.body.is_some()
            && (pair.choice.name.is_none() || self.promises[*only].sample.name.is_none())
        {
            pair.promise = Some(*only);
            pair.expected.clone_from(&self.promises[*only].status);
            answered[*only] = true;
        }
    }

    /// The status of a request that no answer bears the name of: the first success, redirection or `default`, whichever the document
    /// has first in this order.
    fn default_status(&self) -> String {
        let first = |fits: &dyn Fn(&str) -> bool| self.statuses.iter().find(|status| fits(status));
        let status = first(&is_success)
            .or_else(|| first(&|status| status.starts_with('3')))
            .or_else(|| first(&|status| status == "default"));
        status.cloned().unwrap_or_default()
    }

    /// Whether a valid request is promised this status: it is that of a success, or the document has none and this takes its place.
    fn is_promised(&self, status: &str) -> bool {
        is_success(status)
            || !self.statuses.iter().any(|status| is_success(status))
                && status == self.default_status()
    }

    fn add(&mut self, pair: &Pair) {
        let sample = pair
            .promise
            .map(|index| self.promises[index].sample.clone());
        let name = pair
            .choice
            .name
            .clone()
            .or_else(|| sample.as_ref()?.name.clone());
        let name = name.unwrap_or_else(|| "example".to_owned());
        if pair.expected.is_empty() {
            let at = self.source.operation.pointer.clone();
            return self.give_up(&name, &at, Unreplayable::NoResponse);
        }
        let draft = match self.source.draft(
            &pair.choice,
            self.is_promised(&pair.expected) || pair.expected == "default",
        ) {
            Ok(draft) => draft,
            Err(reason) => {
                let at = sample
                    .map_or_else(|| self.source.operation.pointer.clone(), |sample| sample.at);
                return self.give_up(&name, &at, reason);
            }
        };
        let case = self.case(draft, name, &pair.expected, sample.as_ref());
        self.plan.cases.push(case);
    }

    /// A case for an answer that no request sample bears the name of.
    fn add_derived(&mut self, index: usize, pairs: &[Pair]) {
        let Promise { status, sample } = &self.promises[index];
        let (status, sample) = (status.clone(), sample.clone());
        let title = sample.title().to_owned();
        let recipe = recipe::of(self.source.document, &sample);
        if recipe.is_none() && status != "401" {
            if !sample.last_resort {
                self.give_up(&title, &sample.at, Unreplayable::NoRequest { status });
            }
            return;
        }
        let choice = self.start(recipe.and_then(|recipe| recipe.get("from")), pairs);
        let draft = choice.and_then(|choice| self.source.draft(&choice, true));
        let draft = match draft {
            Ok(draft) => draft,
            // The example of a schema is no promise of its own.
            Err(_) if recipe.is_none() && sample.last_resort => return,
            Err(reason) => return self.give_up(&title, &sample.at, reason),
        };
        let mut case = self.case(draft, title, &status, Some(&sample));
        match recipe {
            Some(recipe) => {
                let applied = recipe::apply(recipe, &mut case, self.source.media_type());
                if let Err(problem) = applied {
                    return self.reject(&case, problem);
                }
            }
            None => case.anonymous = true,
        }
        self.plan.cases.push(case);
    }

    /// The request that a refusal is derived from: the named one, the first successful one, or the plain call.
    fn start(&self, from: Option<&Value>, pairs: &[Pair]) -> Result<Choice, Unreplayable> {
        if let Some(from) = from {
            let named = self
                .choices
                .iter()
                .find(|choice| choice.name.as_deref() == from.as_str());
            return named.cloned().ok_or_else(|| Unreplayable::NoStart {
                from: from.to_string(),
            });
        }
        let success = pairs
            .iter()
            .find(|pair| self.is_promised(&pair.expected))
            .map(|pair| pair.choice.clone());
        success
            .or_else(|| self.source.plain())
            .ok_or(Unreplayable::NoSuccess)
    }

    fn case(&self, draft: Draft, sample: String, expected: &str, answer: Option<&Sample>) -> Case {
        let operation = self.source.operation;
        let mut headers = draft.headers;
        if let Some(answer) = answer
            && !answer.media_type.is_empty()
        {
            headers.insert(0, ("Accept".to_owned(), self.accept(&answer.media_type)));
        }
        Case {
            at: answer.map_or(draft.at, |answer| answer.at.clone()),
            path: draft.path,
            query: draft.query,
            inputs: draft.inputs,
            headers,
            body: draft.body,
            answer: answer.and_then(|sample| {
                let value = sample.value.clone()?;
                Some(Answer {
                    value,
                    pointer: sample.pointer.clone(),
                    media_type: sample.media_type.clone(),
                })
            }),
            ..Case::new(operation, sample, expected)
        }
    }

    /// The media type of the sample first; whatever else the operation may answer with is taken as well.
    fn accept(&self, media_type: &str) -> String {
        let mut accepted = vec![media_type.to_owned()];
        for promise in &self.promises {
            let other = format!("{};q=0.5", promise.sample.media_type);
            if promise.sample.media_type != media_type && !accepted.contains(&other) {
                accepted.push(other);
            }
        }
        accepted.join(", ")
    }

    fn give_up(&mut self, sample: &str, at: &str, reason: Unreplayable) {
        let sample = sample.to_owned();
        let fault = ReplayFault::NotReplayable { sample, reason };
        self.note(rules::SAMPLE_NOT_REPLAYABLE, Severity::Info, at, fault);
    }

    fn reject(&mut self, case: &Case, problem: RecipeProblem) {
        let sample = case.sample.clone();
        let fault = ReplayFault::Recipe { sample, problem };
        self.note(rules::REPLAY_RECIPE, Severity::Undecided, &case.at, fault);
    }

    fn note(&mut self, rule: &'static str, severity: Severity, at: &str, fault: ReplayFault) {
        self.plan.not_replayable += 1;
        self.plan.findings.push(Finding {
            old: Some(Place::of(self.source.document, at)),
            ..Finding::new(rule, severity, self.plan.operation.clone(), fault)
        });
    }
}

fn has_recipe(document: &Document, sample: &Sample) -> bool {
    recipe::of(document, sample).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases and the other findings of the first operation below `paths`, one a line.
    fn planned(operation: &str) -> Vec<String> {
        let text = format!("openapi: 3.1.0\npaths:\n  /a/{{id}}: {operation}\n");
        let document = Document::parse("t", &text).expect("the document parses");
        let plan = plan(&document, &document.operations()[0]);
        let case = |case: &Case| {
            let query = crate::case::serialize::query_string(&case.query);
            let body = case
                .body
                .as_ref()
                .map(|body| String::from_utf8_lossy(&body.bytes).into_owned());
            let anonymous = if case.anonymous { " anonymous" } else { "" };
            let answer = if case.answer.is_some() {
                ""
            } else {
                " unanswered"
            };
            let path: Vec<&str> = case
                .path
                .iter()
                .filter(|value| !value.create)
                .filter_map(|value| value.literal.as_deref())
                .collect();
            let body = body.unwrap_or_default();
            format!(
                "{} {} {}{query}{body}{anonymous}{answer}",
                case.sample,
                case.expected,
                path.join(",")
            )
            .trim_end()
            .to_owned()
        };
        let findings = plan.findings.iter().map(|finding| finding.rule.to_owned());
        plan.cases.iter().map(case).chain(findings).collect()
    }

    fn json(samples: &str) -> String {
        format!("{{description: d, content: {{application/json: {{{samples}}}}}}}")
    }

    #[test]
    fn the_same_name_makes_a_pair_and_a_request_without_one_expects_the_first_success() {
        let body = json("examples: {one: {value: 1}, two: {value: 2}, bad: {value: 3}}");
        let (good, bad) = (
            json("examples: {one: {value: {}}}"),
            json("examples: {bad: {value: {}}, other: {value: {}}}"),
        );
        let operation = format!(
            "{{post: {{requestBody: {body}, responses: {{'422': {bad}, '202': {good}, '200': {{description: d}}}}}}}}"
        );
        assert_eq!(
            planned(&operation),
            [
                "one 202 1",
                "two 202 2 unanswered",
                "bad 422 3",
                "sample-not-replayable"
            ]
        );
    }

    #[test]
    fn unnamed_examples_make_a_pair_also_when_only_one_side_is_unnamed() {
        let post = |body: &str, answer: &str| {
            format!(
                "{{post: {{requestBody: {}, responses: {{'201': {}, '401': {}}}}}}}",
                json(body),
                json(answer),
                json("example: no")
            )
        };
        for (body, answer, name) in [
            ("example: 1", "example: {}", "example"),
            ("examples: {one: {value: 1}}", "example: {}", "one"),
            ("example: 1", "examples: {two: {value: {}}}", "two"),
        ] {
            assert_eq!(
                planned(&post(body, answer)),
                [
                    format!("{name} 201 1"),
                    "example 401 1 anonymous".to_owned()
                ]
            );
        }
    }

    #[test]
    fn an_answer_without_a_request_sample_is_a_plain_call_with_what_is_required() {
        let parameters = "[{in: query, name: q, required: true, schema: {type: integer, default: 5}}, {in: query, name: o, example: x}, {in: query, name: n, examples: {few: {value: 1}}}]";
        let operation = format!(
            "{{get: {{parameters: {parameters}, responses: {{'200': {}}}}}}}",
            json("examples: {few: {value: []}, all: {value: []}}")
        );
        assert_eq!(planned(&operation), ["few 200 q=5&n=1", "all 200 q=5"]);
        let operation = format!(
            "{{get: {{parameters: {parameters}, responses: {{'200': {}}}}}}}",
            json("example: []")
        );
        assert_eq!(
            planned(&operation),
            ["few 200 q=5&n=1 unanswered", "example 200 q=5"]
        );
    }

    #[test]
    fn a_path_value_is_literal_where_a_refused_sample_gives_it() {
        let parameters = "[{in: path, name: id, required: true, examples: {found: {value: a}, lost: {value: b}}}]";
        let operation = format!(
            "{{get: {{parameters: {parameters}, responses: {{'200': {}, '404': {}}}}}}}",
            json("examples: {found: {value: {}}}"),
            json("examples: {lost: {value: {}}}")
        );
        assert_eq!(planned(&operation), ["found 200", "lost 404 b"]);
    }

    #[test]
    fn what_is_required_and_has_no_sample_is_said() {
        let parameters = "[{in: query, name: q, required: true, schema: {type: integer}}]";
        let operation = format!(
            "{{get: {{parameters: {parameters}, responses: {{'200': {}}}}}}}",
            json("example: []")
        );
        assert_eq!(planned(&operation), ["sample-not-replayable"]);
    }

    #[test]
    fn a_recipe_changes_the_first_success() {
        let bad = json(
            "examples: {a: {x-replay: {query: {q: null, r: [1, 2]}, path: {id: z/z}, body: {}}, value: 1}, b: {x-replay: {from: two}, value: 1}}",
        );
        let operation = format!(
            "{{post: {{parameters: [{{in: query, name: q, required: true, example: 1}}], requestBody: {}, responses: {{'201': {}, '400': {bad}}}}}}}",
            json("examples: {one: {value: 1}, two: {value: 2}}"),
            json("examples: {one: {value: 1}}")
        );
        assert_eq!(
            planned(&operation),
            [
                "one 201 q=11",
                "two 201 q=12 unanswered",
                "a 400 z%2Fzr=1&r=2{}",
                "b 400 q=12"
            ]
        );
    }
}
