//! `in: querystring` of OpenAPI 3.2: the query as one value, in samples and in generated requests.

use conformance::replay::Generate;

use super::*;

/// A search whose query is one value of this media type.
fn document(media_type: &str) -> String {
    format!(
        "openapi: 3.2.0
info: {{title: t, version: '1'}}
paths:
  /search:
    get:
      operationId: search
      parameters:
        - in: querystring
          name: what
          required: true
          content:
            {media_type}:
              schema:
                type: object
                required: [word]
                properties:
                  word: {{type: string, minLength: 2, maxLength: 8}}
                  size: {{type: integer, minimum: 1, maximum: 5}}
                additionalProperties: false
              example: {{word: blue sky, size: 2}}
      responses: {{'200': {{description: d}}, '400': {{description: d}}}}
"
    )
}

/// What the query asks for, read as the media type says.
fn read(request: &Request, is_json: bool) -> Option<Value> {
    let query = request.query.strip_prefix('?')?;
    if is_json {
        let text = conformance::case::serialize::decode(query);
        return serde_json::from_str(&text).ok();
    }
    let mut members = serde_json::Map::new();
    for pair in query.split('&') {
        let (name, text) = pair.split_once('=')?;
        let text = conformance::case::serialize::decode(text);
        let value = match name {
            "size" => text
                .parse::<f64>()
                .map_or(Value::from(text.as_str()), Value::from),
            _ => Value::from(text),
        };
        if members.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(Value::Object(members))
}

fn is_right(asked: &Value, most: f64) -> bool {
    let Some(members) = asked.as_object() else {
        return false;
    };
    let word = members.get("word").and_then(Value::as_str);
    let length = word.map(|word| word.chars().count());
    let size = members.get("size");
    let size_is_right = size.is_none_or(|size| {
        let size = size.as_f64();
        size.is_some_and(|size| size.fract() == 0.0 && (1.0..=most).contains(&size))
    });
    let known = members.keys().all(|name| name == "word" || name == "size");
    known && size_is_right && length.is_some_and(|length| (2..=8).contains(&length))
}

/// The findings of a run on a server that takes sizes up to `most`, and how many queries it took.
fn found(media_type: &str, most: f64) -> (Vec<String>, usize) {
    let is_json = media_type.ends_with("json");
    let server = Server::start(Box::new(move |request: &Request, _| {
        let reply = match request.method.as_str() {
            "GET" | "HEAD" => {
                let asked = read(request, is_json);
                let is_right = asked.is_some_and(|asked| is_right(&asked, most));
                Reply::new(if is_right { 200 } else { 400 })
            }
            _ => Reply::new(405),
        };
        reply.header("Allow", "GET, HEAD")
    }));
    let mut options = Options::new(&server.url);
    options.generate = Some(Generate::default());
    let (outcome, _) = replay_with(&document(media_type), &options);
    let outcome = outcome.expect("the server can be checked");
    let seen = server.seen.lock().expect("no thread panics");
    let taken = seen.iter().filter_map(|request| read(request, is_json));
    let taken = taken.filter(|asked| is_right(asked, most)).count();
    (grave(&outcome.findings), taken)
}

#[test]
fn a_query_that_is_one_value_is_sent_and_broken_as_a_whole() {
    for media_type in ["application/x-www-form-urlencoded", "application/json"] {
        let (findings, taken) = found(media_type, 5.0);
        assert_eq!(findings, Vec::<String>::new(), "{media_type}");
        assert!(taken > 5, "{media_type}: {taken}");
        let (findings, _) = found(media_type, 6.0);
        assert!(
            findings.len() == 1 && findings[0].contains("`size` one above its maximum"),
            "{media_type}: {findings:#?}"
        );
    }
}
