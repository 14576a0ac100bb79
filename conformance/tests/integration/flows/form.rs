//! Things that are created by forms, where every value is text.

use std::sync::Mutex;

use conformance::case::serialize::decode;
use serde_json::{Value, json};

use super::*;
use crate::replay::server::{Reply, Request, Server as Plain};

const LAMPS: &str = "openapi: 3.1.0
info: {title: Lamps, version: '1'}
paths:
  /lamps:
    post:
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1}, on: {type: boolean}}}
            example: {name: desk, on: true}
      responses: {'201': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Lamp'}}}}}
  /lamps/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: integer}}]
    get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Lamp'}}}}, '404': {description: d}}}
    delete: {responses: {'204': {description: d}, '404': {description: d}}}
components:
  schemas:
    Lamp: {type: object, required: [id, name, on], properties: {id: {type: integer}, name: {type: string}, on: {type: boolean}}}
";

/// A server that reads the text of `on` in its way.
fn server(reads: fn(&str) -> bool) -> Plain {
    let lamps: Mutex<(u64, Vec<Value>)> = Mutex::default();
    Plain::start(Box::new(move |request: &Request, _| {
        let mut lamps = lamps.lock().expect("no thread panics");
        let id = request.path.strip_prefix("/lamps/");
        let place = lamps.1.iter().position(|lamp| {
            let own = lamp["id"].to_string();
            id.is_some_and(|id| own == id)
        });
        match (request.method.as_str(), id, place) {
            ("POST", None, _) => {
                let text = String::from_utf8_lossy(&request.body).into_owned();
                let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
                let field = |name| {
                    let mut own = pairs.clone().filter(|(known, _)| *known == name);
                    own.next().map(|(_, value)| decode(value))
                };
                lamps.0 += 1;
                let on = field("on").is_some_and(|text| reads(&text));
                let lamp = json!({"id": lamps.0, "name": field("name"), "on": on});
                lamps.1.push(lamp.clone());
                Reply::json(201, &lamp)
            }
            ("GET", Some(_), Some(place)) => Reply::json(200, &lamps.1[place]),
            ("DELETE", Some(_), Some(place)) => {
                lamps.1.remove(place);
                Reply::new(204)
            }
            _ => Reply::new(404),
        }
    }))
}

fn found(reads: fn(&str) -> bool) -> Vec<String> {
    let server = server(reads);
    let document = Document::parse("lamps.yaml", LAMPS).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options::new(&server.url);
    let settings = Settings::default();
    let mut quiet = |_| {};
    let outcome = runtime.block_on(flows::check(&options, &settings, &document, &mut quiet));
    told(&outcome.expect("the server can be checked").findings)
}

#[test]
fn a_boolean_of_a_form_is_read_as_it_was_sent() {
    assert_eq!(found(|text| text == "true"), Vec::<String>::new());
    for reads in [
        // As languages do in which every text is true that has a character.
        (|text: &str| !text.is_empty()) as fn(&str) -> bool,
        |_| true,
        |_| false,
    ] {
        let findings = found(reads);
        assert!(
            findings.len() == 1 && findings[0].starts_with("written-read | POST /lamps | /on: "),
            "{findings:#?}"
        );
    }
}
