//! Requests from samples: the body and the parameters that one name, or the unnamed example, stands for.

use serde_json::Value;

use super::collect::{self, Sample};
use super::encoding;
use crate::case::form::Encodings;
use crate::case::serialize::{self, Style};
use crate::case::{Body, PathValue};
use crate::document::{Document, Located, Operation};
use crate::finding::Unreplayable;

/// The parts of an operation that requests are made from.
pub(super) struct Source<'a> {
    pub(super) document: &'a Document,
    pub(super) operation: &'a Operation<'a>,
    pub(super) bodies: Vec<Sample>,
    body_required: bool,
    /// The media types of the request body.
    media: Vec<(String, Located<'a>)>,
    parameters: Vec<(Located<'a>, Vec<Sample>)>,
}

/// Which sample to send: the body by index, the parameters by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: Option<String>,
    pub(super) body: Option<usize>,
    /// Only what is required: the call of an answer that no request sample belongs to.
    pub(super) plain: bool,
}

/// The parts of a case that come from request samples.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) path: Vec<PathValue>,
    pub(super) query: Vec<(String, String)>,
    pub(super) inputs: Vec<(String, Value)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
    pub(super) at: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(document: &'a Document, operation: &'a Operation<'a>) -> Self {
        let body = operation.request_body(document);
        let bodies = body
            .as_ref()
            .map(|body| collect::of_content(document, body))
            .unwrap_or_default();
        let body_required = body
            .as_ref()
            .is_some_and(|body| body.value.get("required") == Some(&Value::Bool(true)));
        let media = body
            .as_ref()
            .map(|body| collect::media_types(document, body))
            .unwrap_or_default();
        let parameters = operation.parameters(document).into_iter();
        let parameters = parameters.map(|parameter| {
            let samples = collect::of_parameter(document, &parameter);
            (parameter, samples)
        });
        Self {
            document,
            operation,
            bodies,
            body_required,
            media,
            parameters: parameters.collect(),
        }
    }

    /// The first media type of the request body.
    pub(super) fn media_type(&self) -> Option<&str> {
        self.media.first().map(|(name, _)| name.as_str())
    }

    /// All request samples: those with a body first, then names that only parameters bear, or the unnamed one.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let choice = |name: Option<String>, body| Choice {
            name,
            body,
            plain: false,
        };
        let mut found: Vec<Choice> = self
            .bodies
            .iter()
            .enumerate()
            .map(|(index, body)| choice(body.name.clone(), Some(index)))
            .collect();
        let given = || self.parameters.iter().flat_map(|(_, samples)| samples);
        for name in given().filter_map(|sample| sample.name.as_ref()) {
            if !found.iter().any(|known| known.name.as_ref() == Some(name)) {
                found.push(choice(Some(name.clone()), self.fallback_body()));
            }
        }
        if found.is_empty() && !self.body_required && given().next().is_some() {
            found.push(choice(None, None));
        }
        found
    }

    /// The call without a sample of its own; `None` when the operation needs a body.
    pub(super) fn plain(&self) -> Option<Choice> {
        (!self.body_required).then_some(Choice {
            name: None,
            body: None,
            plain: true,
        })
    }

    /// The body for a sample that gives only parameters: the unnamed one, or, where a body must be sent, the first.
    fn fallback_body(&self) -> Option<usize> {
        let unnamed = self.bodies.iter().position(|body| body.name.is_none());
        unnamed.or((self.body_required && !self.bodies.is_empty()).then_some(0))
    }

    /// The request of a choice.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(super) fn draft(
        &self,
        choice: &Choice,
        expects_success: bool,
    ) -> Result<Draft, Unreplayable> {
        let mut draft = Draft {
            at: self.operation.pointer.clone(),
            ..Draft::default()
        };
        let mut cookies = Vec::new();
        for (parameter, samples) in &self.parameters {
            let text = |member: &str| {
                parameter
                    .value
                    .get(member)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let (name, place) = (text("name"), text("in"));
            if place == "header"
                && ["accept", "content-type", "authorization"]
                    .contains(&name.to_ascii_lowercase().as_str())
            {
                continue;
            }
            let own = samples
                .iter()
                .find(|sample| sample.name.is_some() && sample.name == choice.name);
            let required =
                place == "path" || parameter.value.get("required") == Some(&Value::Bool(true));
            let unnamed = samples
                .iter()
                .find(|sample| sample.name.is_none() && (required || !sample.last_resort));
            let sample = match own {
                Some(own) => Some(own),
                None if required => unnamed.or(samples.first()),
                None if choice.name.is_none() && !choice.plain => unnamed,
                None => None,
            };
            let value = sample.and_then(|sample| sample.value.as_ref());
            if let Some(own) = own
                && choice.body.is_none()
            {
                draft.at.clone_from(&own.at);
            }
            let style = Style::of(parameter.value, place);
            if place == "path" {
                draft.path.push(PathValue {
                    name: name.to_owned(),
                    documented: value.cloned(),
                    literal: value.map(|value| serialize::path(name, value, &style)),
                    // A request that is refused may be refused for this very value.
                    create: expects_success || own.is_none(),
                });
                continue;
            }
            let Some(value) = value else {
                // A required header may come from the command line.
                if required && place != "header" && place != "cookie" {
                    return Err(Unreplayable::NoParameter {
                        place: place.to_owned(),
                        name: name.to_owned(),
                    });
                }
                continue;
            };
            match place {
                "query" => {
                    draft.query.extend(serialize::query(name, value, &style));
                    draft.inputs.push((name.to_owned(), value.clone()));
                }
                // The whole query string, written like a body.
                "querystring" => {
                    let media = collect::media_types(self.document, parameter);
                    let Some((media_type, media)) = media.first() else {
                        continue;
                    };
                    let encodings = encoding::of(self.document, media);
                    let pairs = serialize::whole_query(media_type, value, &encodings)?;
                    draft.query.extend(pairs);
                    draft.inputs.push((name.to_owned(), value.clone()));
                }
                "header" => draft
                    .headers
                    .push((name.to_owned(), serialize::header(value, &style))),
                "cookie" => cookies.push(serialize::cookie(name, value, &style)),
                _ => {}
            }
        }
        if !cookies.is_empty() {
            draft
                .headers
                .push(("Cookie".to_owned(), cookies.join("; ")));
        }
        self.complete_path(&mut draft);
        if let Some(sample) = choice.body.and_then(|index| self.bodies.get(index)) {
            let value = sample.value.as_ref().ok_or(Unreplayable::External)?;
            let media = self
                .media
                .iter()
                .find(|(name, _)| *name == sample.media_type);
            let encodings = media.map_or_else(Encodings::new, |(_, media)| {
                encoding::of(self.document, media)
            });
            draft.body = Some(serialize::body(&sample.media_type, value, &encodings)?);
            draft.at.clone_from(&sample.at);
        }
        Ok(draft)
    }

    /// Adds the names of the template that no parameter describes.
    fn complete_path(&self, draft: &mut Draft) {
        for name in template_names(self.operation.path) {
            if !draft.path.iter().any(|value| value.name == name) {
                draft.path.push(PathValue {
                    name,
                    documented: None,
                    literal: None,
                    create: true,
                });
            }
        }
    }
}

/// The parameter names of a path template, in order.
pub fn template_names(template: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, tail)) = rest.split_once('{') {
        let Some((name, tail)) = tail.split_once('}') else {
            break;
        };
        names.push(name.to_owned());
        rest = tail;
    }
    names
}
