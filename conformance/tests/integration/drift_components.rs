//! Documents of schemas alone, such as models that several APIs share, are compared by the names of the schemas.

use conformance::document::Document;
use conformance::drift::{Options, compare_counted};
use conformance::finding::{Comparison, Severity};
use conformance::report::words;

use crate::program::Folder;

const OLD: &str = "openapi: 3.1.0
info: {title: models, version: '1'}
components:
  schemas:
    Amount: {type: object, required: [value], properties: {value: {type: integer}, note: {type: string, maxLength: 9}}}
    Gone: {type: string}
    Same: {type: array, items: {$ref: '#/components/schemas/Amount'}}
";

fn new() -> String {
    OLD.replace("maxLength: 9", "maxLength: 5")
        .replace("required: [value]", "required: []")
        .replace("    Gone: {type: string}\n", "    Fresh: {type: string}\n")
}

#[test]
fn schemas_without_operations_are_compared_as_if_clients_and_servers_sent_them() {
    let parse = |text: &str| Document::parse("d", text).expect("a document");
    let (old, new) = (parse(OLD), parse(&new()));
    let compared = compare_counted(&old, &new, &Options::default());
    let said: Vec<(Severity, &str, String)> = compared
        .findings
        .iter()
        .map(|finding| {
            let words = words::of(finding, Comparison::Versions);
            (finding.severity, finding.subject.as_str(), words)
        })
        .collect();
    assert_eq!(
        said,
        [
            (
                Severity::Breaking,
                "schema Amount",
                "new no longer requires `value`: it may be missing, which clients of old do not expect".to_owned(),
            ),
            (
                Severity::Breaking,
                "schema Amount",
                "`maxLength` of `note` was 9, is now 5: clients that send longer values are now refused".to_owned(),
            ),
            (
                Severity::Breaking,
                "schema Gone",
                "the schema `Gone` was removed".to_owned(),
            ),
            (
                Severity::Info,
                "schema Fresh",
                "the schema `Fresh` is new".to_owned(),
            ),
        ]
    );
    assert!(compared.checked["schemas"] >= 3, "{:?}", compared.checked);
    let same = compare_counted(&old, &parse(OLD), &Options::default());
    assert_eq!(same.findings, []);
    assert!(same.checked["schemas"] >= 3, "{:?}", same.checked);
}

#[test]
fn the_command_checks_schemas_alone_and_says_so() {
    let folder = Folder::with(&[
        ("old.yaml", OLD),
        ("new.yaml", &new()),
        (
            "none.yaml",
            "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n",
        ),
        (
            "operations.yaml",
            &format!(
                "{}\npaths: {{/a: {{get: {{responses: {{'200': {{description: d}}}}}}}}}}\n",
                new()
            ),
        ),
    ]);
    let run = folder.run("drift old.yaml old.yaml");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("schemas checked"), "{run:?}");
    assert_eq!(folder.run("drift old.yaml new.yaml").code, 1);
    assert_eq!(folder.run("drift none.yaml none.yaml").code, 2);
    // All schemas are gone, or new, and that is what was checked.
    let run = folder.run("drift old.yaml none.yaml");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("3 schemas checked"), "{run:?}");
    let run = folder.run("drift none.yaml old.yaml");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("3 schemas checked"), "{run:?}");
    // A user of a schema still refers to it where the new document has operations as well.
    let run = folder.run("drift old.yaml operations.yaml");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("component-schema-removed"), "{run:?}");
}
