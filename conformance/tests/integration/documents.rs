//! Documents as people write them are read, and what is wrong with one is said where it is.

use std::fs;
use std::time::{Duration, Instant};

use conformance::document::{Document, Position, SIZE_LIMIT};
use conformance::drift::{Options, compare};
use conformance::finding::Sender;
use conformance::schema::Schemas;
use serde_json::{Value, json};

/// Files in a folder of their own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn load(&self, name: &str) -> Result<Document, String> {
        let path = self.0.path().join(name);
        Document::load(path.to_str().expect("UTF-8")).map_err(|error| error.to_string())
    }

    fn read(&self, name: &str) -> Document {
        let document = self.load(name).unwrap_or_else(|error| panic!("{error}"));
        if let Err(error) = document.check_references() {
            panic!("{error}");
        }
        document
    }

    /// Returns the problem with the references of a document, without the folder.
    fn astray(&self, name: &str) -> String {
        let document = self.load(name).unwrap_or_else(|error| panic!("{error}"));
        let error = document.check_references().expect_err(name).to_string();
        error.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn parse(text: &str) -> Document {
    Document::parse("api.yaml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    Document::from_bytes("api.yaml", text.as_bytes().to_vec())
        .expect_err("is refused")
        .to_string()
}

/// A document whose only answer has this schema.
fn answer(version: &str, schema: &str) -> String {
    format!(
        "openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n          description: ok\n          content:\n            application/json:\n              schema: {schema}\n"
    )
}

const SCHEMA: &str = "/paths/~1a/get/responses/200/content/application~1json/schema";

/// The place of a node: its file, without the folder, its pointer there, and its line.
fn place(document: &Document, at: &str) -> (String, String, u32) {
    let (name, pointer) = document.origin(at);
    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
    (name, pointer, document.position(at).line)
}

fn assert_same(one: &Document, other: &Document) {
    assert_eq!(compare(one, other, &Options::default()), []);
    assert_eq!(compare(other, one, &Options::default()), []);
}

#[test]
fn objects_of_2_0_in_other_files_are_read_like_local_ones() {
    const HEAD: &str = "swagger: '2.0'\ninfo: {title: T, version: '1'}\nconsumes: [application/json]\nproduces: [application/json]\n";
    const PARTS: &str = "parameters:\n  V: {in: query, name: v, required: true, type: string}\n  B: {in: body, name: b, required: true, schema: {$ref: '#/definitions/X'}}\nresponses:\n  R: {description: ok, schema: {$ref: '#/definitions/X'}}\ndefinitions: {X: {type: object, properties: {x: {type: integer, x-nullable: true}}}}\n";
    let api = |v: &str, r: &str, b: &str| {
        format!(
            "{HEAD}paths:\n  /a:\n    get:\n      parameters: [{v}]\n      responses: {{'200': {r}}}\n    post:\n      parameters: [{b}]\n      responses: {{'200': {{description: ok}}}}\n"
        )
    };
    let v = "{in: query, name: v, required: true, type: string}";
    let r = "{description: ok, schema: {$ref: 'parts.yaml#/definitions/X'}}";
    let b = "{in: body, name: b, required: true, schema: {$ref: 'parts.yaml#/definitions/X'}}";
    let [outer_v, outer_r, outer_b] = ["parameters/V", "responses/R", "parameters/B"]
        .map(|at| format!("{{$ref: 'parts.yaml#/{at}'}}"));
    let local = api(
        "{$ref: '#/parameters/V'}",
        "{$ref: '#/responses/R'}",
        "{$ref: '#/parameters/B'}",
    ) + PARTS;
    let paths = "/a:\n  get:\n    parameters: [{$ref: 'parts.yaml#/parameters/V'}]\n    responses: {'200': {$ref: 'parts.yaml#/responses/R'}}\n  post:\n    parameters: [{$ref: 'parts.yaml#/parameters/B'}]\n    responses: {'200': {description: ok}}\n";
    let item = format!("{HEAD}paths:\n  /a: {{$ref: 'paths.yaml#/~1a'}}\n");
    let shared =
        api(
            "{$ref: '#/parameters/V'}",
            "{$ref: '#/responses/R'}",
            "{$ref: '#/parameters/B'}",
        ) + &format!("parameters: {{V: {outer_v}, B: {outer_b}}}\nresponses: {{R: {outer_r}}}\n");
    let new = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n      parameters: [{in: query, name: v, required: true, schema: {type: string}}]\n      responses: {'200': {description: ok, content: {application/json: {schema: &x {type: object, properties: {x: {type: integer, nullable: true}}}}}}}\n    post:\n      requestBody: {required: true, content: {application/json: {schema: *x}}}\n      responses: {'200': {description: ok}}\n";
    let whole = format!("swagger: '2.0'\n{PARTS}");
    let folder = Folder::new(&[
        ("parts.yaml", PARTS),
        ("whole/parts.yaml", &whole),
        ("paths.yaml", paths),
        ("new.yaml", new),
        ("local.yaml", &local),
        ("parameter.yaml", &api(&outer_v, r, b)),
        ("response.yaml", &api(v, &outer_r, b)),
        ("body.yaml", &api(v, r, &outer_b)),
        ("whole/all.yaml", &api(&outer_v, &outer_r, &outer_b)),
        ("item.yaml", &item),
        ("shared.yaml", &shared),
    ]);
    let new = folder.read("new.yaml");
    for name in [
        "local.yaml",
        "parameter.yaml",
        "response.yaml",
        "body.yaml",
        "item.yaml",
        "shared.yaml",
        "whole/all.yaml",
    ] {
        let old = folder.read(name);
        assert_eq!(compare(&old, &new, &Options::default()), [], "{name}");
        assert_eq!(compare(&new, &old, &Options::default()), [], "{name}");
    }
    let item = folder.read("item.yaml");
    assert_eq!(
        place(&item, "/paths/~1a/get/parameters/0/schema/type"),
        ("parts.yaml".into(), "/parameters/V/type".into(), 2)
    );
    assert_eq!(
        place(&item, "/paths/~1a/post/responses/200/description"),
        (
            "paths.yaml".into(),
            "/~1a/post/responses/200/description".into(),
            7
        )
    );
}

#[test]
fn media_types_of_2_0_are_those_of_the_operation_and_an_empty_list_clears_them() {
    let text = "swagger: '2.0'\ninfo: {title: T, version: '1'}\nproduces: [application/xml]\nconsumes: [application/xml]\npaths:\n  /a:\n    get:\n      produces: []\n      responses: {'200': {$ref: '#/responses/R'}}\n    put:\n      produces: [text/csv]\n      consumes: [text/plain]\n      parameters: [{$ref: '#/parameters/B'}]\n      responses: {'200': {$ref: '#/responses/R'}}\n    post:\n      parameters: [{$ref: '#/parameters/B'}]\n      responses: {'200': {$ref: '#/responses/R'}}\nresponses: {R: {description: d, schema: {type: string}}}\nparameters: {B: {in: body, name: b, schema: {type: string}}}\n";
    let document = parse(text);
    let types = |at: &str| -> Vec<String> {
        let (at, _) = document.resolve(at).expect(at);
        let content = document.at(&format!("{at}/content")).expect("content");
        content
            .as_object()
            .expect("a map")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(types("/paths/~1a/get/responses/200"), ["application/json"]);
    assert_eq!(types("/paths/~1a/put/responses/200"), ["text/csv"]);
    assert_eq!(types("/paths/~1a/put/requestBody"), ["text/plain"]);
    assert_eq!(types("/paths/~1a/post/responses/200"), ["application/xml"]);
    assert_eq!(types("/paths/~1a/post/requestBody"), ["application/xml"]);
}

#[test]
fn a_reference_of_2_0_into_an_operation_leads_to_where_that_went() {
    let text = "swagger: '2.0'\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get: {responses: {'200': {description: d, schema: {type: object, properties: {p: {type: string}}}}}}\n    put: {parameters: [{in: body, name: b, schema: {$ref: '#/paths/~1a/get/responses/200/schema/properties/p'}}], responses: {'200': {description: d}}}\n";
    let document = parse(text);
    assert_eq!(
        document
            .check_references()
            .map_err(|error| error.to_string()),
        Ok(())
    );
    let at = "/paths/~1a/put/requestBody/content/application~1json/schema";
    let (_, schema) = document.resolve(at).expect("a schema");
    assert_eq!(schema, &json!({"type": "string"}));
    let reference = document.at(at).expect("a schema")["$ref"]
        .as_str()
        .expect("a reference");
    assert_eq!(
        document.told(reference),
        "#/paths/~1a/get/responses/200/schema/properties/p"
    );
}

#[test]
fn members_beside_the_reference_of_a_path_item_are_merged_with_it() {
    let item = "A:\n  post: {responses: {'201': {description: other}}}\n  get: {responses: {'200': {description: other}}}\n  parameters: [{in: query, name: q, schema: {type: integer}}, {in: query, name: r, schema: {type: string}}]\nB: {$ref: '#/A', delete: {responses: {'204': {description: third}}}}\n";
    let own = "get: {responses: {'200': {description: own}}}, parameters: [{in: query, name: q, required: true, schema: {type: string}}]";
    for version in ["3.0.3", "3.1.0"] {
        let head = format!("openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths:\n");
        let folder = Folder::new(&[
            ("item.yaml", item),
            (
                "a.yaml",
                &format!("{head}  /a: {{$ref: 'item.yaml#/B', {own}}}\n"),
            ),
            (
                "b.yaml",
                &format!(
                    "{head}  /a:\n    parameters: [{{in: query, name: q, required: true, schema: {{type: string}}}}, {{in: query, name: r, schema: {{type: string}}}}]\n    get: {{responses: {{'200': {{description: own}}}}}}\n    post: {{responses: {{'201': {{description: other}}}}}}\n    delete: {{responses: {{'204': {{description: third}}}}}}\n"
                ),
            ),
        ]);
        let (a, b) = (folder.read("a.yaml"), folder.read("b.yaml"));
        assert_same(&a, &b);
        assert_eq!(
            place(&a, "/paths/~1a/post/responses/201"),
            ("item.yaml".into(), "/A/post/responses/201".into(), 2)
        );
        assert_eq!(
            place(&a, "/paths/~1a/parameters/1/name"),
            ("item.yaml".into(), "/A/parameters/1/name".into(), 4)
        );
        assert_eq!(
            place(&a, "/paths/~1a/get/responses/200"),
            ("a.yaml".into(), "/paths/~1a/get/responses/200".into(), 4)
        );
    }
}

#[test]
fn path_items_that_refer_to_each_other_with_members_beside_it_end() {
    let text = "openapi: 3.1.0\npaths:\n  /a: {$ref: '#/components/pathItems/P', get: {}}\ncomponents:\n  pathItems:\n    P: {$ref: '#/components/pathItems/Q', put: {callbacks: {c: {'{$url}': {$ref: '#/components/pathItems/P', summary: s}}}}}\n    Q: {$ref: '#/components/pathItems/P', post: {}}\n";
    let document = parse(text);
    let error = document
        .check_references()
        .expect_err("a circle")
        .to_string();
    assert!(error.contains("in a circle"), "{error}");
}

#[test]
fn a_description_beside_a_reference_overrides_from_3_1_on() {
    let text = |version: &str| {
        format!(
            "openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths:\n  /a:\n    get:\n      parameters:\n        - {{$ref: '#/components/parameters/P', description: own}}\n      responses:\n        '200': {{$ref: '#/components/responses/R', description: own, x-other: 1}}\ncomponents:\n  parameters: {{P: {{in: query, name: p, description: shared, schema: {{type: string}}}}}}\n  responses: {{R: {{description: shared, headers: {{H: {{schema: {{type: string}}}}}}}}}}\n"
        )
    };
    for (version, expected) in [("3.0.3", "shared"), ("3.1.0", "own"), ("3.2.0", "own")] {
        let document = parse(&text(version));
        let operation = &document.operations()[0];
        let response = &operation.responses(&document)[0].1;
        assert_eq!(response.value["description"], expected, "{version}");
        let parameter = &operation.parameters(&document)[0];
        assert_eq!(parameter.value["description"], expected, "{version}");
        assert_eq!(parameter.value["name"], "p");
        let header = format!("{}/headers/H/schema", response.pointer);
        assert_eq!(place(&document, &header).2, 12, "{version}");
        let line = if expected == "own" { 9 } else { 12 };
        let description = format!("{}/description", response.pointer);
        assert_eq!(place(&document, &description).2, line, "{version}");
    }
}

#[test]
fn file_names_in_references_are_percent_decoded() {
    let part = "type: object\nproperties: {c: {type: string}}\n";
    let names = [
        ("p{id}", "p%7Bid%7D"),
        ("my c", "my%20c"),
        ("a[b]", "a%5Bb%5D"),
        ("grö", "gr%C3%B6"),
        ("q%", "q%25"),
        ("n::P", "n%3A%3AP"),
        ("a+b", "a%2Bb"),
        ("x^y|z", "x%5Ey%7Cz"),
        ("k\"l<m>", "k%22l%3Cm%3E"),
        ("t~v", "t%7Ev"),
        ("u@w", "u%40w"),
        ("v`w", "v%60w"),
        ("d/e", "d%2Fe"),
        ("d/e", "d\\e"),
        ("a%20b", "a%20b"),
    ];
    let files: Vec<(String, &str)> = names
        .iter()
        .map(|(name, _)| (format!("f/{name}.yaml"), part))
        .collect();
    let mut files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    files.push(("f/h#x.yaml", part));
    let folder = Folder::new(&files);
    let spellings = names.iter().flat_map(|(name, encoded)| [*name, *encoded]);
    for name in spellings.chain(["h%23x"]) {
        let text = answer(
            "3.0.3",
            &json!({"$ref": format!("./f/{name}.yaml")}).to_string(),
        );
        fs::write(folder.0.path().join("api.yaml"), text).expect("a file");
        let document = folder.read("api.yaml");
        let (_, schema) = document.resolve(SCHEMA).expect(name);
        assert_eq!(schema["properties"]["c"]["type"], "string", "{name}");
    }
}

#[test]
fn a_file_may_refer_to_itself_by_name() {
    let text = answer("3.0.3", "{$ref: 'api.yaml#/components/schemas/S'}")
        + "components:\n  schemas:\n    S: {type: string}\n    T: {$ref: './api.yaml#/components/schemas/S'}\n    U: {$ref: 'part.yaml#/U'}\n";
    let part = "U: {$ref: 'api.yaml#/components/schemas/S'}\nV: {$ref: part.yaml#/U}\n";
    let folder = Folder::new(&[("api.yaml", &text), ("part.yaml", part)]);
    let document = folder.read("api.yaml");
    for at in [SCHEMA, "/components/schemas/T", "/components/schemas/U"] {
        let (end, _) = document.resolve(at).expect(at);
        assert_eq!(end, "/components/schemas/S");
    }
    // Also where there is no file, such as in a text that was piped.
    let alone = parse(
        &answer("3.1.0", "{$ref: 'api.yaml#/components/schemas/S'}").replace(
            "paths:",
            "components: {schemas: {S: {type: string}}}\npaths:",
        ),
    );
    assert_eq!(alone.resolve(SCHEMA).expect("a schema").1["type"], "string");
    assert_eq!(
        alone.told("#/components/schemas/S"),
        "api.yaml#/components/schemas/S"
    );
}

#[test]
fn more_files_than_anybody_counts_are_read() {
    let parts: Vec<(String, String)> = (0..500)
        .map(|index| {
            (
                format!("s/{index}.yaml"),
                format!(
                    "type: array\nitems: {{$ref: '{}.yaml'}}\n",
                    (index + 1) % 500
                ),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = parts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let text = answer("3.1.0", "{$ref: s/0.yaml}");
    files.push(("api.yaml", &text));
    let document = Folder::new(&files).read("api.yaml");
    assert_eq!(
        document.value()["x-bundled"]
            .as_object()
            .map(serde_json::Map::len),
        Some(500)
    );
}

#[test]
fn the_files_of_a_document_are_limited_in_bytes_together() {
    let part = |size: usize| format!("{{\"type\": \"string\"{}}}", " ".repeat(size));
    let text = answer("3.1.0", "{anyOf: [{$ref: a.json}, {$ref: b.json}]}");
    let (small, large) = (part(SIZE_LIMIT / 2 - 1000), part(SIZE_LIMIT / 2 + 2000));
    let folder = Folder::new(&[
        ("small/api.yaml", &text),
        ("small/a.json", &small),
        ("small/b.json", &small),
        ("large/api.yaml", &text),
        ("large/a.json", &small),
        ("large/b.json", &large),
    ]);
    folder.read("small/api.yaml");
    let error = folder.load("large/api.yaml").expect_err("too much");
    assert!(
        error.contains("api.yaml with the files that it refers to: is larger than 32 MB"),
        "{error}"
    );
}

#[test]
fn a_text_may_be_yaml_in_flow_style() {
    for text in [
        "{openapi: 3.0.3, info: {title: T, version: '1'}, paths: {}}",
        "{\"openapi\": 3.0.3, info: {title: T, version: '1'}, paths: {}}\n",
        "{\n  # a comment\n  \"openapi\": \"3.0.3\",\n  \"paths\": {},\n}\n",
    ] {
        assert_eq!(parse(text).written_in(), "3.0", "{text}");
    }
    let error = refused("{\"openapi\": \"3.0.3\", \"paths\": {}");
    assert!(error.contains("expected `,` or `}`"), "{error}");
    let error = refused("{openapi: 3.0.3, paths: {}");
    assert!(error.contains("not YAML"), "{error}");
    let error = Document::parse("api.json", "{\"openapi\": \"3.0.3\",}").expect_err("is JSON");
    assert!(
        error.to_string().contains("a member name in quotes"),
        "{error}"
    );
}

#[test]
fn a_version_may_be_a_number() {
    for (text, version) in [
        ("swagger: 2.0\n", "2.0"),
        ("swagger: 2\n", "2.0"),
        ("{\"swagger\": 2.0}", "2.0"),
        ("openapi: 3.0\n", "3.0"),
        ("openapi: 3.1\n", "3.1"),
    ] {
        assert_eq!(parse(text).written_in(), version, "{text}");
    }
}

#[test]
fn data_is_not_searched_for_references() {
    let folder = Folder::new(&[(
        "api.yaml",
        "openapi: 3.2.0\npaths:\n  /x:\n    get:\n      parameters: [{in: query, name: q, example: {$ref: none.json}}]\n      responses:\n        '200':\n          content:\n            application/json:\n              examples: {one: {dataValue: {$ref: none.json}, serializedValue: {$ref: 1}}, two: {value: {$ref: none.json}}}\n              schema: {default: {$ref: none.json}, enum: [{$ref: none.json}], const: {$ref: 7}, properties: {default: {type: string}, $ref: {type: string}}, examples: [{$ref: none.json}], x-any: {$ref: none.json}}\n",
    )]);
    folder.read("api.yaml");
}

#[test]
fn webhooks_of_3_0_may_be_in_other_files() {
    let folder = Folder::new(&[
        (
            "api.yaml",
            "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\nx-webhooks:\n  paid:\n    $ref: paid.yaml\n",
        ),
        (
            "paid.yaml",
            "post:\n  operationId: onPaid\n  requestBody: {content: {application/json: {schema: {type: string, nullable: true}}}}\n  responses:\n    '200': {description: ok}\n",
        ),
        (
            "bad.yaml",
            "openapi: 3.0.3\npaths: {}\nx-webhooks:\n  paid:\n    $ref: none.yaml\n",
        ),
    ]);
    let document = folder.read("api.yaml");
    let webhook = &document.webhooks()[0];
    assert_eq!(webhook.id, Some("onPaid"));
    let kind = format!(
        "{}/requestBody/content/application~1json/schema/type",
        webhook.pointer
    );
    assert_eq!(document.at(&kind), Some(&json!(["string", "null"])));
    assert_eq!(place(&document, &format!("{kind}/1")).0, "paid.yaml");
    let error = folder.load("bad.yaml").expect_err("no such file");
    assert!(
        error.contains("bad.yaml:5:5: the reference `none.yaml`"),
        "{error}"
    );
}

#[test]
fn pointers_may_have_plus_signs_spaces_and_percent_signs() {
    let names = [
        "A+B", "My Type", "50%", "a%20b", "{id}", "é", "a\"b", "a\\b", "a^b|c`d", "a/b~c", "#x",
        "a<b>",
    ];
    for name in names {
        let token = name.replace('~', "~0").replace('/', "~1");
        let encoded: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for spelling in [token.as_str(), &encoded] {
            let reference = format!("#/components/schemas/{spelling}");
            let text = answer("3.1.0", &json!({"$ref": reference}).to_string())
                + &format!(
                    "components: {{schemas: {}}}\n",
                    json!({name: {"type": "string"}})
                );
            let document = parse(&text);
            assert_eq!(
                document
                    .check_references()
                    .map_err(|error| error.to_string()),
                Ok(())
            );
            let (_, schema) = document.resolve(SCHEMA).expect("a schema");
            assert_eq!(schema, &json!({"type": "string"}), "{spelling}");
            let schemas = Schemas::new(&document);
            for (value, faults) in [(json!("a"), 0), (json!(1), 1)] {
                let found = schemas.faults(SCHEMA, &value, Some(Sender::Server));
                assert_eq!(found.map(|found| found.len()), Ok(faults), "{spelling}");
            }
            let at = document.at(SCHEMA).expect("a schema")["$ref"]
                .as_str()
                .expect("a reference");
            assert_eq!(document.told(at), reference);
        }
    }
}

#[test]
fn merge_keys_are_read_and_told_unless_the_document_is_yaml_1_1() {
    let text = "openapi: 3.1.0\nx-base: &base\n  type: object\n  required: [id]\ncomponents:\n  schemas:\n    A:\n      <<: *base\n      required: [name]\n    B: {<<: {type: string}}\n";
    let document = parse(text);
    assert_eq!(
        document.at("/components/schemas/A"),
        Some(&json!({"required": ["name"], "type": "object"}))
    );
    assert_eq!(document.position("/components/schemas/A/type").line, 3);
    assert_eq!(document.position("/components/schemas/A/required").line, 9);
    let keys: Vec<(String, u32, u32)> = document
        .merge_keys()
        .into_iter()
        .map(|key| (key.pointer, key.position.line, key.position.column))
        .collect();
    assert_eq!(
        keys,
        [
            ("/components/schemas/A".to_owned(), 8, 7),
            ("/components/schemas/B".to_owned(), 10, 9)
        ]
    );
    let old = parse(&format!("%YAML 1.1\n---\n{text}"));
    assert_eq!(old.value(), document.value());
    assert_eq!(old.merge_keys(), []);
}

#[test]
fn a_reference_that_is_not_a_string_is_an_error_with_its_place() {
    for (value, kind) in [
        ("7", "a number"),
        ("null", "null"),
        ("[x]", "a list"),
        ("{a: b}", "an object"),
        ("true", "a boolean"),
    ] {
        let document = parse(&answer("3.0.3", &format!("{{$ref: {value}}}")));
        let error = document.check_references().expect_err(value).to_string();
        let start = format!("api.yaml:11:24: the value of `$ref` is {kind}");
        assert!(error.starts_with(&start), "{error}");
    }
    for text in [
        "openapi: 3.0.3\npaths: {/a: {get: {parameters: [{$ref: 1}]}}}\n",
        "openapi: 3.0.3\npaths: {/a: {get: {responses: {'200': {$ref: 2}}}}}\n",
        "openapi: 3.0.3\npaths: {/a: {$ref: 3}}\n",
    ] {
        assert!(parse(text).check_references().is_err(), "{text}");
    }
    let named = parse(&answer(
        "3.0.3",
        "{type: object, properties: {$ref: {type: string}}}",
    ));
    assert!(named.check_references().is_ok());
}

#[test]
fn a_bad_reference_is_reported_where_it_is_and_never_as_the_model_has_it() {
    let folder = Folder::new(&[
        ("a.yaml", &answer("3.0.3", "{$ref: 'x.yaml#/A'}")),
        ("x.yaml", "A: {$ref: '#/Nope'}\n"),
        ("c.yaml", &answer("3.0.3", "{$ref: 'x2.yaml#/A'}")),
        ("x2.yaml", "A: {$ref: 'x3.yaml#/B'}\n"),
        ("x3.yaml", "B: {$ref: 'x2.yaml#/A'}\n"),
        ("d.yaml", &answer("3.0.3", "{$ref: 'x4.yaml#/A'}")),
        ("x4.yaml", "A: {$ref: '#foo'}\n"),
        ("e.yaml", &answer("3.0.3", "{$ref: 'x5.yaml#A'}")),
        ("x5.yaml", "A: {type: object}\n"),
        ("f.yaml", &answer("3.1.0", "{$ref: 'x6.yaml#named'}")),
        ("x6.yaml", "A: {$anchor: named, type: object}\n"),
        (
            "g.yaml",
            &(answer("3.0.3", "{$ref: 'Pet'}") + "components: {schemas: {Pet: {}}}\n"),
        ),
        (
            "h.yaml",
            &(answer("3.0.3", "{$ref: '#/Pet'}") + "components: {schemas: {Pet: {}}}\n"),
        ),
    ]);
    for (name, start) in [
        (
            "a.yaml",
            "x.yaml:1:5: the reference `#/Nope` leads nowhere; correct",
        ),
        (
            "c.yaml",
            "x3.yaml:1:5: the reference `x2.yaml#/A` leads in a circle of references",
        ),
        ("d.yaml", "x4.yaml:1:5: the reference `#foo` leads nowhere"),
        (
            "e.yaml",
            "e.yaml:11:24: the reference `x5.yaml#A` leads nowhere",
        ),
        (
            "h.yaml",
            "h.yaml:11:24: the reference `#/Pet` leads nowhere; did you mean `#/components/schemas/Pet`?",
        ),
    ] {
        let error = folder.astray(name);
        assert!(error.starts_with(start), "{error}");
        assert!(!error.contains("x-bundled"), "{error}");
    }
    let anchored = folder.read("f.yaml");
    assert_eq!(
        anchored.resolve(SCHEMA).expect("a schema").1["type"],
        "object"
    );
    let error = folder.load("g.yaml").expect_err("no such file");
    assert!(error.contains("`Pet` leads nowhere"), "{error}");
    assert!(
        error.ends_with("did you mean `#/components/schemas/Pet`?"),
        "{error}"
    );
}

#[test]
fn references_are_told_as_the_files_spell_them() {
    let discriminator = "{oneOf: [{$ref: './x.yaml#/A'}, {$ref: 'x.yaml#/B'}], discriminator: {propertyName: k, mapping: {a: './x.yaml#/A', b: B, c: 'none.yaml#/C'}}}";
    let folder = Folder::new(&[
        (
            "api.yaml",
            &(answer("3.0.3", discriminator) + "components: {schemas: {B: {$ref: 'x.yaml#/B'}}}\n"),
        ),
        (
            "x.yaml",
            "A: {type: object, properties: {self: {$ref: '#/A'}}}\nB: {type: object}\n",
        ),
    ]);
    let document = folder.read("api.yaml");
    let schema = document.at(SCHEMA).expect("a schema");
    assert!(schema.to_string().contains("#/x-bundled/1/A"), "{schema}");
    let told = document.told_value(schema);
    assert_eq!(
        told["oneOf"],
        json!([{"$ref": "./x.yaml#/A"}, {"$ref": "x.yaml#/B"}])
    );
    assert_eq!(
        told["discriminator"]["mapping"],
        json!({"a": "./x.yaml#/A", "b": "B", "c": "none.yaml#/C"})
    );
    let swagger = parse(
        "swagger: '2.0'\npaths: {}\ndefinitions: {A: {type: string}, B: {$ref: '#/definitions/A'}}\n",
    );
    assert_eq!(swagger.told("#/components/schemas/A"), "#/definitions/A");
    assert_eq!(
        swagger.told("#/components/schemas/A/nothing"),
        "#/definitions/A/nothing"
    );
}

#[test]
fn texts_that_only_look_like_json_are_told_what_they_are() {
    let error = refused("// generated\n{\"openapi\": \"3.0.3\"}");
    assert!(
        error.starts_with("api.yaml:1:1: this begins with a comment of JavaScript"),
        "{error}"
    );
    assert!(
        refused("\n /* x */ {}").starts_with("api.yaml:2:2: "),
        "comment"
    );
    let json = "{\"openapi\": \"3.0.3\", \"paths\": {}}";
    let with_mark = Document::from_bytes("api.json", format!("\u{feff}{json}").into_bytes());
    assert_eq!(
        with_mark.expect("is read").position("/openapi"),
        Position { line: 1, column: 2 }
    );
    let little: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [vec![0xff, 0xfe], little.clone()].concat(),
        [vec![0xfe, 0xff], big.clone()].concat(),
        little,
        big,
    ] {
        let error = Document::from_bytes("api.json", bytes)
            .expect_err("UTF-16")
            .to_string();
        assert!(error.contains("the text is UTF-16"), "{error}");
    }
}

#[test]
fn numbers_beyond_64_bits_are_known_exactly() {
    let schema = "{maximum: 18446744073709551616, minimum: -9223372036854775809, enum: [1, {a: 123456789012345678901}], const: 0.1000000000000000055511151231257827, default: 0.1, multipleOf: 100000000000000000000, exclusiveMaximum: true}";
    let yaml = answer("3.0.3", schema);
    let json = {
        let mut value: Value = serde_json::from_str("{\"openapi\": \"3.0.3\"}").expect("JSON");
        value["components"] = json!({"schemas": {"S": {}}});
        value.to_string().replace("\"S\":{}", "\"S\":{\"maximum\":18446744073709551616,\"minimum\":-9223372036854775809,\"enum\":[1,{\"a\":123456789012345678901}],\"const\":0.1000000000000000055511151231257827,\"default\":0.1,\"multipleOf\":100000000000000000000,\"exclusiveMaximum\":true}")
    };
    for (text, at) in [
        (yaml.as_str(), SCHEMA),
        (json.as_str(), "/components/schemas/S"),
    ] {
        let document = parse(text);
        let exact = |key: &str| {
            let literal = document.literal(&format!("{at}/{key}"))?;
            (!literal.is_held()).then(|| literal.to_string())
        };
        // Folded from `maximum`.
        assert_eq!(
            exact("exclusiveMaximum").as_deref(),
            Some("18446744073709551616")
        );
        assert_eq!(exact("minimum").as_deref(), Some("-9223372036854775809"));
        assert_eq!(exact("enum/1/a").as_deref(), Some("123456789012345678901"));
        assert_eq!(
            exact("const").as_deref(),
            Some("0.1000000000000000055511151231257827")
        );
        assert_eq!(exact("default"), None);
        assert_eq!(exact("multipleOf"), None);
        let values = document.literal(&format!("{at}/enum")).expect("a list");
        assert_eq!(values.to_string(), r#"[1,{"a":123456789012345678901}]"#);
    }
    let held = parse(&answer("3.1.0", "{maximum: 18446744073709551615}"));
    assert!(held.literal("").expect("a document").is_held());
}

#[test]
fn schemas_of_3_0_are_2020_12_in_the_model_and_where_the_file_has_them() {
    for (written, folded, places) in [
        (
            "{type: string, nullable: true}",
            json!({"type": ["string", "null"]}),
            [("/type/0", "/type"), ("/type/1", "/nullable")].as_slice(),
        ),
        (
            "{type: string, nullable: false}",
            json!({"type": "string"}),
            &[],
        ),
        // 3.0.3 clarifies that null must be in the enum too.
        (
            "{type: string, enum: [a], nullable: true}",
            json!({"type": ["string", "null"], "enum": ["a"]}),
            &[],
        ),
        ("{enum: [a], nullable: true}", json!({"enum": ["a"]}), &[]),
        (
            "{minimum: 1, exclusiveMinimum: true, maximum: 2, exclusiveMaximum: false}",
            json!({"exclusiveMinimum": 1, "maximum": 2}),
            &[("/exclusiveMinimum", "/minimum"), ("/maximum", "/maximum")],
        ),
        (
            "{example: {nullable: true}}",
            json!({"examples": [{"nullable": true}]}),
            &[
                ("/examples", "/example"),
                ("/examples/0/nullable", "/example/nullable"),
            ],
        ),
        (
            "{example: 1, x-examples: [1, 2]}",
            json!({"examples": [1, 2]}),
            &[("/examples/1", "/x-examples/1")],
        ),
        (
            "{type: string, format: byte}",
            json!({"type": "string", "contentEncoding": "base64"}),
            &[("/contentEncoding", "/format")],
        ),
        (
            "{type: string, format: binary}",
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
            &[("/contentMediaType", "/format")],
        ),
        (
            "{$ref: '#/components/schemas/S', description: dropped, maxLength: 1}",
            json!({"$ref": "#/components/schemas/S"}),
            &[],
        ),
        (
            "{nullable: true, $ref: '#/components/schemas/S'}",
            json!({"anyOf": [{"$ref": "#/components/schemas/S"}, {"type": "null"}]}),
            &[("/anyOf/0/$ref", "/$ref"), ("/anyOf/1", "/nullable")],
        ),
        (
            "{allOf: [{type: integer, nullable: true}], nullable: true, description: d}",
            json!({"description": "d", "anyOf": [{"allOf": [{"type": ["integer", "null"]}]}, {"type": "null"}]}),
            &[
                ("/description", "/description"),
                ("/anyOf/0/allOf/0/type/1", "/allOf/0/nullable"),
            ],
        ),
        (
            "{properties: {nullable: {type: string, nullable: true}, example: {type: string}}}",
            json!({"properties": {"nullable": {"type": ["string", "null"]}, "example": {"type": "string"}}}),
            &[(
                "/properties/nullable/type/1",
                "/properties/nullable/nullable",
            )],
        ),
    ] {
        let text = answer("3.0.3", written) + "components: {schemas: {S: {type: string}}}\n";
        let document = parse(&text);
        assert_eq!(document.at(SCHEMA), Some(&folded), "{written}");
        for (at, expected) in places {
            let (_, origin) = document.origin(&format!("{SCHEMA}{at}"));
            assert_eq!(origin, format!("{SCHEMA}{expected}"), "{written}: {at}");
        }
        // From 3.1 on, they say what they say.
        let new = parse(&text.replace("3.0.3", "3.1.0"));
        let as_written: Value = yaml_serde::from_str(written).expect("YAML");
        assert_eq!(new.at(SCHEMA), Some(&as_written), "{written}");
    }
}

#[test]
fn schemas_are_folded_wherever_they_are_and_nothing_else_is() {
    let schema = "{type: string, nullable: true}";
    let text = format!(
        "openapi: 3.0.3\npaths:\n  /a:\n    parameters: [{{in: query, name: p, schema: {schema}, example: 1, examples: {{e: {{value: {schema}}}}}}}]\n    post:\n      parameters: [{{in: query, name: q, content: {{a/b: {{schema: {schema}, example: 2}}}}}}]\n      requestBody: {{content: {{a/b: {{schema: {schema}, encoding: {{e: {{headers: {{H: {{schema: {schema}}}}}}}}}}}}}}}\n      responses: {{default: {{headers: {{H: {{schema: {schema}}}}}, content: {{a/b: {{schema: {schema}}}}}}}}}\n      callbacks: {{c: {{'{{$url}}': {{post: {{requestBody: {{content: {{a/b: {{schema: {schema}}}}}}}}}}}}}}}\nx-any: {schema}\nx-webhooks: {{w: {{post: {{requestBody: {{content: {{a/b: {{schema: {schema}}}}}}}}}}}}}\ncomponents:\n  schemas: {{S: {{properties: {{p: {schema}}}, additionalProperties: {schema}, items: {schema}, not: {schema}, oneOf: [{schema}], default: {schema}}}}}\n  parameters: {{P: {{schema: {schema}}}}}\n  headers: {{H: {{schema: {schema}}}}}\n  responses: {{R: {{content: {{a/b: {{schema: {schema}}}}}}}}}\n  requestBodies: {{B: {{content: {{a/b: {{schema: {schema}}}}}}}}}\n  callbacks: {{C: {{'{{$url}}': {{post: {{requestBody: {{content: {{a/b: {{schema: {schema}}}}}}}}}}}}}}}\n"
    );
    let all = text.matches(schema).count();
    let model = parse(&text).value().to_string();
    let left = model
        .matches(r#"{"type":"string","nullable":true}"#)
        .count();
    let folded = model.matches(r#"{"type":["string","null"]}"#).count();
    assert_eq!((left, folded), (3, all - 3), "{model}");
    assert!(model.contains(r#""example":1"#) && model.contains(r#""example":2"#));
}

#[test]
fn files_are_of_the_version_that_they_say_else_of_that_of_the_document() {
    let part = "A: {type: string, nullable: true}\n";
    let whole = |version: &str| {
        format!(
            "openapi: {version}\npaths: {{}}\ncomponents: {{schemas: {{A: {{type: string, nullable: true}}}}}}\n"
        )
    };
    let api = |version: &str| {
        answer(
            version,
            "{anyOf: [{$ref: 'part.yaml#/A'}, {$ref: 'old.yaml#/components/schemas/A'}, {$ref: 'new.yaml#/components/schemas/A'}]}",
        )
    };
    let folder = Folder::new(&[
        ("part.yaml", part),
        ("old.yaml", &whole("3.0.3")),
        ("new.yaml", &whole("3.1.0")),
        ("api-3.0.yaml", &api("3.0.3")),
        ("api-3.1.yaml", &api("3.1.0")),
    ]);
    for (name, expected) in [
        ("api-3.0.yaml", [true, true, false]),
        ("api-3.1.yaml", [false, true, false]),
    ] {
        let document = folder.read(name);
        let folded = [0, 1, 2].map(|branch| {
            let (_, schema) = document
                .resolve(&format!("{SCHEMA}/anyOf/{branch}"))
                .expect("a schema");
            schema.get("nullable").is_none()
        });
        assert_eq!(folded, expected, "{name}");
    }
}

#[test]
fn references_into_a_schema_that_null_was_added_around_lead_there() {
    let text = answer(
        "3.0.3",
        "{anyOf: [{$ref: '#/components/schemas/A/properties/b/properties/c'}, {$ref: '#/components/schemas/A/anyOf/0'}, {$ref: '#/components/schemas/A'}]}",
    ) + "components:\n  schemas:\n    A:\n      nullable: true\n      anyOf: [{type: integer}, {type: boolean}]\n      properties:\n        b: {nullable: true, allOf: [{}], properties: {c: {type: string}}}\n";
    let document = parse(&text);
    assert_eq!(
        document
            .check_references()
            .map_err(|error| error.to_string()),
        Ok(())
    );
    let schema = |branch: usize| {
        document
            .resolve(&format!("{SCHEMA}/anyOf/{branch}"))
            .expect("a schema")
    };
    assert_eq!(schema(0).1, &json!({"type": "string"}));
    assert_eq!(schema(1).1, &json!({"type": "integer"}));
    assert_eq!(schema(2).0, "/components/schemas/A");
    assert_eq!(document.position(&format!("{}/type", schema(0).0)).line, 18);
}

#[test]
fn hostile_texts_are_read_or_refused_in_time() {
    let start = Instant::now();
    // Merge keys without end.
    let mut text = String::from("openapi: 3.1.0\nx-a: &a {k: 18446744073709551617}\nx-b:\n");
    text.push_str(&"  <<: *a\n".repeat(50_000));
    assert_eq!(
        parse(&text).value()["x-b"]
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
    // Anchors within the values of merge keys.
    let mut text = String::from("openapi: 3.1.0\n");
    for index in 0..20_000 {
        text.push_str(&format!(
            "x-{index}: {{<<: &a{index} {{k: 18446744073709551617}}, l: *a{index}}}\n"
        ));
    }
    assert_eq!(parse(&text).merge_keys().len(), 20_000);
    // Merged again and again, which doubles at each level.
    let mut text = String::from("openapi: 3.1.0\nx-0: &a0 {k0: [1, 2, 3]}\n");
    for index in 1..60 {
        let before = index - 1;
        text.push_str(&format!(
            "x-{index}: &a{index} {{<<: *a{before}, k{index}: *a{before}}}\n"
        ));
    }
    assert!(refused(&text).contains("aliases expand"));
    // Many files that alias much: together they may add no more than one.
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for index in 0..5 {
        let before = if index == 0 {
            "a".to_owned()
        } else {
            format!("a{}", index - 1)
        };
        bomb.push_str(&format!(
            "a{index}: &a{index} [{}]\n",
            format!("*{before}, ").repeat(10)
        ));
    }
    let refs: Vec<String> = (0..200)
        .map(|index| format!("{{$ref: '{index}.yaml#/a'}}"))
        .collect();
    let text = answer("3.1.0", &format!("{{anyOf: [{}]}}", refs.join(", ")));
    let names: Vec<String> = (0..200).map(|index| format!("{index}.yaml")).collect();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), bomb.as_str()))
        .collect();
    files.push(("api.yaml", &text));
    let error = Folder::new(&files).load("api.yaml").expect_err("too much");
    assert!(error.contains("aliases expand"), "{error}");
    // A large path item of another file that many paths repeat.
    let members: String = (0..2_000)
        .map(|index| format!("'{index}': {{description: d}}, "))
        .collect();
    let item = format!("get: {{responses: {{{members}}}}}\n");
    for head in ["swagger: '2.0'", "openapi: 3.0.3"] {
        let mut text = format!("{head}\npaths:\n");
        for index in 0..2_000 {
            text.push_str(&format!("  /{index}: {{$ref: item.yaml, put: {{}}}}\n"));
        }
        let folder = Folder::new(&[("api.yaml", &text), ("item.yaml", &item)]);
        let error = folder.load("api.yaml").expect_err("too much");
        assert!(error.contains("repeated too often"), "{error}");
    }
    assert!(
        start.elapsed() < Duration::from_secs(300),
        "{:?}",
        start.elapsed()
    );
}
