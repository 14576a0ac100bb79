//! Generated bodies that are not JSON: XML by the XML Objects of schemas, and bytes.

use conformance::case::{Case, Intent};
use conformance::generate::Generator;
use conformance::schema::Schemas;

use super::*;

fn cases(media: &str) -> Vec<Case> {
    let text = format!(
        "openapi: 3.1.0
info: {{title: t, version: '1'}}
paths:
  /a:
    post:
      requestBody: {{required: true, content: {{{media}}}}}
      responses: {{'201': {{description: d}}, '400': {{description: d}}}}
components:
  schemas:
    Order:
      type: object
      required: [id, note, lines, tags, price]
      properties:
        id: {{type: integer, const: 7, xml: {{attribute: true}}}}
        note: {{type: string, const: 'a < b & \"c\"', xml: {{name: remark, prefix: n, namespace: 'urn:notes'}}}}
        lines: {{type: array, minItems: 2, maxItems: 2, items: {{type: string, const: x, xml: {{name: line}}}}, xml: {{wrapped: true}}}}
        tags: {{type: array, minItems: 1, maxItems: 1, items: {{type: boolean, const: true}}}}
        price: {{$ref: '#/components/schemas/Price'}}
    Price:
      type: object
      required: [amount]
      properties: {{amount: {{type: integer, const: 3}}}}
      xml: {{name: cost}}
"
    );
    let document = Document::parse("t.yaml", &text).expect("the document parses");
    let schemas = Schemas::new(&document);
    let generator = Generator::new(&document, &schemas);
    generator.cases(&document.operations()[0], &[], 1_000)
}

fn bytes(case: &Case) -> &[u8] {
    &case.body.as_ref().expect("a body").bytes
}

#[test]
fn xml_is_written_as_the_schema_says_and_broken_as_a_whole() {
    let cases = cases("application/xml: {schema: {$ref: '#/components/schemas/Order'}}");
    let valid = cases.iter().find(|case| case.intent == Intent::Valid);
    let text = std::str::from_utf8(bytes(valid.expect("one is valid"))).expect("is UTF-8");
    let xml = roxmltree::Document::parse(text).expect(text);
    let root = xml.root_element();
    assert_eq!(root.tag_name().name(), "Order", "{text}");
    assert_eq!(root.attribute("id"), Some("7"), "{text}");
    let shown: Vec<String> = root
        .descendants()
        .skip(1)
        .filter(roxmltree::Node::is_element)
        .map(|node| {
            format!(
                "{}={}",
                node.tag_name().name(),
                node.text().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "remark=a < b & \"c\"",
            "lines=",
            "line=x",
            "line=x",
            "tags=true",
            "cost=",
            "amount=3"
        ],
        "{text}"
    );
    let remark = root
        .descendants()
        .find(|node| node.has_tag_name(("urn:notes", "remark")));
    assert!(remark.is_some(), "{text}");
    let refused: Vec<&Case> = cases
        .iter()
        .filter(|case| matches!(case.intent, Intent::Refused(_)) && case.sample.contains("XML"))
        .collect();
    assert!(refused.len() >= 5, "{}", refused.len());
    for case in refused {
        let text = String::from_utf8_lossy(bytes(case)).into_owned();
        let is_broken =
            std::str::from_utf8(bytes(case)).is_err() || roxmltree::Document::parse(&text).is_err();
        assert!(is_broken, "{}: {text}", case.sample);
    }
}

#[test]
fn bytes_are_sent_where_a_document_takes_them_and_are_valid_only_where_that_is_sure() {
    for (media, start, intent) in [
        (
            "application/octet-stream: {}",
            &b"\x00\x01"[..],
            Intent::Valid,
        ),
        (
            "application/octet-stream: {schema: {type: string, format: binary}}",
            b"\x00\x01",
            Intent::Valid,
        ),
        (
            "image/png: {schema: {type: string, format: binary}}",
            b"\x89PNG",
            Intent::Valid,
        ),
        ("application/pdf: {}", b"%PDF-", Intent::Valid),
        (
            "application/zip: {schema: {type: string, format: binary, maxLength: 99}}",
            b"PK",
            Intent::Valid,
        ),
        (
            "video/mp4: {schema: {type: string, format: binary}}",
            b"\x00\x01",
            Intent::Open,
        ),
    ] {
        let cases = cases(media);
        let first = cases.iter().find(|case| case.body.is_some()).expect(media);
        assert!(bytes(first).starts_with(start), "{media}");
        assert_eq!(first.intent, intent, "{media}");
        let content_type = first
            .body
            .as_ref()
            .and_then(|body| body.content_type.as_deref());
        assert_eq!(content_type, media.split(':').next(), "{media}");
    }
    // The schema of the content comes first.
    let cases = cases("application/x-note: {schema: {type: string, const: hello}}");
    let first = cases
        .iter()
        .find(|case| case.body.is_some())
        .expect("has a body");
    assert_eq!(bytes(first), b"hello");
}
