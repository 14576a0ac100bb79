//! Planted faults in the body of an answer, held against the sample.

use super::*;

#[test]
fn a_member_that_only_the_sample_has_is_caught() {
    let text = NOTES.replace("required: [commentId, text]", "required: [commentId]");
    let server = server_with(
        "GET",
        "/api/notes/*/comments/*",
        only_success(|reply| reply.edit(|body| remove(body, "text"))),
    );
    let (outcome, _) = replayed(&text, &server);
    expect(
        &outcome,
        "GET",
        "sample-members",
        "the member `text` of the documented sample is missing",
    );
    let place = outcome.findings.iter().find_map(|finding| {
        finding
            .old
            .as_ref()
            .filter(|_| finding.rule == "sample-members")
    });
    assert!(
        place
            .unwrap()
            .pointer
            .ends_with("/get/responses/200/content/application~1json/example/text"),
        "{place:?}"
    );
}

#[test]
fn a_declared_member_that_the_sample_has_not_is_only_mentioned() {
    let fault = |reply: Reply| reply.edit(|body| body["archived"] = json!(false));
    let server = server_with("GET", "/api/notes/*", only_success(fault));
    let (outcome, _) = replayed(NOTES, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    let part = "/archived: the schema declares this member, but";
    let told = outcome.findings.iter().find(|one| said(one).contains(part));
    assert_eq!(told.map(|one| one.severity), Some(Severity::Info));
}

#[test]
fn an_undeclared_member_is_a_warning() {
    let fault = |reply: Reply| reply.edit(|body| body["extra"] = json!(1));
    let server = server_with("GET", "/api/notes/*", only_success(fault));
    let (outcome, _) = replayed(NOTES, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    let warning = outcome
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Warning)
        .expect("a warning");
    assert_eq!(warning.rule, "sample-members");
    assert!(said(warning).contains("/extra"), "{}", said(warning));
}

#[test]
fn the_same_difference_in_each_item_of_a_list_is_one_finding() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            let items = body["data"].as_array_mut().expect("a list");
            items
                .iter_mut()
                .for_each(|item| item["archived"] = json!(true));
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let findings = replayed(NOTES, &server).0.findings;
    let told: Vec<String> = findings.iter().map(said).collect();
    assert!(
        told.iter()
            .any(|line| line.contains("/data/0/archived") && line.contains("and in 1 more items")),
        "{told:#?}"
    );
}

#[test]
fn a_value_of_the_body_that_is_not_echoed_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["title"] = json!("Beer"));
    caught(
        "POST",
        "/api/notes",
        fault,
        "sample-values",
        "/title: expected \"Milk\" (sent as `title` of the request body), got \"Beer\"",
    );
}

#[test]
fn a_value_of_the_query_that_is_not_echoed_is_caught() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            if let Some(item) = body["data"].get_mut(0) {
                item["color"] = json!("blue");
            }
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert_eq!(grave.len(), 1, "{grave:#?}");
    assert!(
        grave[0].contains(
            "/data/0/color: expected \"red\" (sent as the query parameter `color`), got \"blue\""
        ),
        "{grave:#?}"
    );
}

#[test]
fn another_id_than_the_one_in_the_path_is_caught() {
    let other = "00000000-0000-4000-8000-999999999999";
    let fault = move |reply: Reply| reply.edit(|body| body["id"] = json!(other));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "sample-values",
        "(sent as the path parameter `noteId`), got \"00000000-0000-4000-8000-999999999999\"",
    );
}

/// The document contradicts itself, and the server keeps to the schema.
#[test]
fn a_sample_that_its_schema_does_not_allow_may_be_refused() {
    let document = "openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things:
    get:
      parameters: [{in: query, name: size, required: true, schema: {type: integer}, example: seven}]
      responses: {'200': {description: d}, '400': {description: d}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}, example: {n: five}}}}
      responses: {'200': {description: d}, '400': {description: d}}
";
    let rules = |status: u16| {
        let server = Server::start(Box::new(move |_: &Request, _| Reply::new(status)));
        let (outcome, _) = replayed(document, &server);
        let findings = outcome.findings.iter();
        let graver = findings.filter(|one| one.severity <= Severity::Undecided);
        graver.map(|one| one.rule).collect::<Vec<&str>>()
    };
    assert_eq!(rules(400), ["sample-own-schema"; 2]);
    assert_eq!(rules(200), ["sample-own-schema"; 2]);
    let mut broken = rules(500);
    broken.sort_unstable();
    assert_eq!(
        broken,
        [
            "no-server-error",
            "no-server-error",
            "sample-own-schema",
            "sample-own-schema"
        ]
    );
}
