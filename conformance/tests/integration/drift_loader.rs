//! Documents in all versions of OpenAPI and in several files are one model, and findings point at what stands in the files.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::Severity;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/drift")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect(name)
}

fn load(name: &str) -> Document {
    let path = folder().join(name);
    Document::load(path.to_str().expect("UTF-8")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn one_api_in_all_versions_has_no_difference() {
    let all: Vec<Document> = ["2.0", "3.0", "3.1", "3.2"]
        .iter()
        .map(|version| load(&format!("versions/api-{version}.yaml")))
        .collect();
    for one in &all {
        for other in &all {
            assert_eq!(
                compare(one, other, &Options::default()),
                [],
                "{} and {}",
                one.name(),
                other.name()
            );
        }
        assert_eq!(
            one.check_references().map_err(|error| error.to_string()),
            Ok(())
        );
    }
    assert_eq!(all[0].written_in(), "2.0");
}

#[test]
fn an_edit_of_2_0_is_found_at_its_place() {
    let document = load("versions/api-2.0.yaml");
    let text = read("versions/api-2.0.yaml");
    for (old, new, rule, at) in [
        (
            "maximum: 100",
            "maximum: 99",
            "schema-keyword-changed",
            "/parameters/Limit/maximum",
        ),
        (
            "maxLength: 20",
            "maxLength: 19",
            "schema-keyword-changed",
            "/paths/~1receipts/post/parameters/1/maxLength",
        ),
        (
            "title: { type: string }",
            "title: { type: integer }",
            "schema-type-changed",
            "/definitions/Problem/properties/title/type",
        ),
        (
            "schema: { $ref: \"#/definitions/NewOrder\" }\n      responses",
            "schema: { type: string }\n      responses",
            "schema-replaced",
            "/paths/~1orders/post/parameters/0/schema",
        ),
        (
            "minimum: 0 }\n            X-Tags",
            "minimum: 1 }\n            X-Tags",
            "schema-keyword-changed",
            "/paths/~1orders/get/responses/200/headers/X-Total/minimum",
        ),
        (
            "collectionFormat: multi",
            "collectionFormat: csv",
            "parameter-serialization-changed",
            "/paths/~1orders/get/parameters/1",
        ),
        (
            "{ type: basic }",
            "{ type: apiKey, in: query, name: k }",
            "security-scheme-changed",
            "/securityDefinitions/basic",
        ),
        (
            "host: api.example.com",
            "host: eu.example.com",
            "servers-changed",
            "/host",
        ),
        (
            "operationId: putOrder",
            "operationId: replaceOrder",
            "operation-id-changed",
            "/paths/~1orders~1{id}/put/operationId",
        ),
        (
            "{ in: formData, name: q, type: string }",
            "{ in: formData, name: q, type: string, required: true }",
            "schema-required-changed",
            "/paths/~1search/post/parameters/0/required",
        ),
    ] {
        let changed = text.replacen(old, new, 1);
        assert_ne!(changed, text, "{old}");
        let edited = Document::parse("new", &changed).expect(new);
        let findings = compare(&document, &edited, &Options::default());
        let found: Vec<(&str, &str)> = findings
            .iter()
            .filter_map(|finding| Some((finding.rule, finding.new.as_ref()?.pointer.as_str())))
            .collect();
        assert!(
            found.iter().any(
                |(one, place)| *one == rule && (place.starts_with(at) || at.starts_with(place))
            ),
            "{new}: {found:?}"
        );
        let line = changed
            .lines()
            .position(|line| line.contains(new.lines().next().expect("a line")))
            .expect("the line");
        if !new.contains('\n') {
            let lines: Vec<u32> = findings
                .iter()
                .filter_map(|finding| Some(finding.new.as_ref()?.line))
                .collect();
            let wanted = u32::try_from(line + 1).expect("a line");
            assert!(
                lines.iter().any(|line| line.abs_diff(wanted) <= 1),
                "{new}: {lines:?} and not {wanted}"
            );
        }
    }
}

#[test]
fn a_document_in_several_files_is_the_one_in_one_file() {
    let (several, one) = (load("files/api.yaml"), load("files/one.yaml"));
    assert_eq!(compare(&several, &one, &Options::default()), []);
    assert_eq!(compare(&one, &several, &Options::default()), []);
    assert_eq!(
        several
            .check_references()
            .map_err(|error| error.to_string()),
        Ok(())
    );
}

#[test]
fn findings_point_at_the_file_that_a_node_stands_in() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("parts")).expect("a folder");
    for name in [
        "api.yaml",
        "parts/paths.yaml",
        "parts/schemas.json",
        "parts/tree.yaml",
    ] {
        let text = read(&format!("files/{name}")).replace("\"maxLength\": 5", "\"maxLength\": 4");
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let new =
        Document::load(folder.path().join("api.yaml").to_str().expect("UTF-8")).expect("is read");
    let findings = compare(&load("files/one.yaml"), &new, &Options::default());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let place = findings[0].new.as_ref().expect("a place");
    assert!(place.document.ends_with("schemas.json"), "{place:?}");
    assert_eq!(
        (place.pointer.as_str(), place.line),
        ("/Line/maxLength", 10)
    );
    let witness = findings[0].witness.as_ref().expect("a witness");
    assert_eq!(witness["lines"][0].as_str().map(str::len), Some(5));
}

#[test]
fn a_reference_to_a_file_that_is_not_there_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("api.yaml");
    for (reference, part) in [
        ("missing.yaml#/a", "No such file"),
        (
            "ftp://example.com/a.yaml",
            "the scheme `ftp` is not supported",
        ),
        ("http://127.0.0.1:1/a.yaml", "nothing is fetched here"),
        (".", "directory"),
    ] {
        let text = format!("openapi: 3.1.0\npaths:\n  /a:\n    $ref: '{reference}'\n");
        fs::write(&path, text).expect("a file");
        let error = Document::load(path.to_str().expect("UTF-8"))
            .expect_err(reference)
            .to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
    fs::write(&path, "openapi: 3.1.0\npaths:\n  /a:\n    $ref: 'b.yaml'\n").expect("a file");
    fs::write(folder.path().join("b.yaml"), "a: [1, 2").expect("a file");
    let error = Document::load(path.to_str().expect("UTF-8"))
        .expect_err("is refused")
        .to_string();
    assert!(error.contains("b.yaml:"), "{error}");
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_found_before_anything_is_compared() {
    for (text, place) in [
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n",
            "t:4:9",
        ),
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/A'}\n",
            "t:4:9",
        ),
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n",
            "t:4:9",
        ),
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A: {$ref: '#none'}\n",
            "t:4:9",
        ),
    ] {
        let document = Document::parse("t", text).expect("is read");
        let error = document.check_references().expect_err(text).to_string();
        assert!(error.starts_with(place), "{error}");
    }
    let fine = "openapi: 3.1.0\ncomponents:\n  schemas:\n    A: {$anchor: a, properties: {b: {$ref: '#a'}}, default: {$ref: '#/none'}}\n  examples:\n    E: {value: {$ref: '#/none'}}\n";
    assert!(
        Document::parse("t", fine)
            .expect("is read")
            .check_references()
            .is_ok()
    );
}

#[test]
fn anchors_and_dynamic_references_are_followed() {
    let api = |schemas: &str| {
        let text = format!(
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n          description: d\n          content:\n            application/json:\n              schema: {{$ref: '#/components/schemas/Tree'}}\ncomponents:\n  schemas:\n    Tree: {schemas}\n"
        );
        Document::parse("t", &text).expect("is read")
    };
    let plain = api(
        "{type: object, properties: {value: {type: string}, children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}",
    );
    let dynamic = api(
        "{$dynamicAnchor: node, type: object, properties: {value: {type: string}, children: {type: array, items: {$dynamicRef: '#node'}}}}",
    );
    let anchor = api(
        "{$anchor: node, type: object, properties: {value: {type: string}, children: {type: array, items: {$ref: '#node'}}}}",
    );
    let other = api(
        "{$dynamicAnchor: node, type: object, properties: {value: {type: integer}, children: {type: array, items: {$dynamicRef: '#node'}}}}",
    );
    let rules = |one: &Document, other: &Document| -> Vec<&'static str> {
        compare(one, other, &Options::default())
            .iter()
            .map(|finding| finding.rule)
            .collect()
    };
    assert_eq!(rules(&plain, &dynamic), ["schema-annotation-changed"]);
    assert!(rules(&plain, &anchor).is_empty());
    assert_eq!(rules(&dynamic, &other), ["schema-type-changed"]);
}

#[test]
fn merge_keys_are_told_of_each_document_of_yaml_1_2_that_has_them() {
    let text = |second: &str| {
        format!(
            "openapi: 3.1.0\nx-base: &base\n  a: 1\nx-one:\n  <<: *base\nx-two:\n  {second}\npaths: {{}}\n"
        )
    };
    let parse = |name: &str, text: &str| {
        Document::parse(name, text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let once = parse("once.yaml", &text("a: 1"));
    let twice = parse("twice.yaml", &text("<<: *base"));
    let old = parse(
        "old.yaml",
        &format!("%YAML 1.1\n---\n{}", text("<<: *base")),
    );
    let found = |one: &Document, other: &Document| {
        let findings = compare(one, other, &Options::default());
        let told = findings.into_iter().map(|finding| {
            let place = finding.old.or(finding.new).expect("a place");
            (finding.rule, finding.severity, place.document, place.line)
        });
        told.collect::<Vec<_>>()
    };
    let key = |document: &str| ("yaml-merge-key", Severity::Warning, document.to_owned(), 5);
    assert_eq!(found(&old, &old), []);
    assert_eq!(found(&old, &once), [key("once.yaml")]);
    assert_eq!(found(&twice, &old), [key("twice.yaml")]);
    assert_eq!(found(&once, &twice), [key("twice.yaml"), key("once.yaml")]);
}
