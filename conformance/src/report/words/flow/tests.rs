//! How faults of sequences are told.

use serde_json::json;

use super::*;
use crate::finding::StepFailure;

#[test]
fn faults_are_told_with_their_values() {
    let at = || "/title".to_owned();
    for (fault, expected) in [
        (
            FlowFault::Written {
                by: Writing::Create,
                at: at(),
                sent: json!("long"),
                found: Some(json!("lo")),
            },
            "/title: created with \"long\", but afterwards read \"lo\"",
        ),
        (
            FlowFault::Written {
                by: Writing::Update,
                at: at(),
                sent: json!(1),
                found: None,
            },
            "/title: updated with 1, but afterwards it is missing",
        ),
        (
            FlowFault::TagStill {
                tag: "\"a\"".to_owned(),
                changed: at(),
                before: json!("old"),
                after: json!("new"),
            },
            "/title: changed from \"old\" to \"new\", but the `ETag` is still \"a\"",
        ),
        (
            FlowFault::Answered {
                by: Writing::Update,
                at: at(),
                found: json!("old"),
                after: json!("new"),
            },
            "/title: \"old\" in the response to the update, but read as \"new\"",
        ),
        (
            FlowFault::Listed {
                at: at(),
                found: json!("one"),
                after: json!("two"),
            },
            "/title: \"one\" in the list, but read as \"two\"",
        ),
        (
            FlowFault::Replaced {
                at: Some(at()),
                before: json!("one"),
                after: json!("two"),
            },
            "/title: was \"one\", and is \"two\" after another one was created with this value",
        ),
        (
            FlowFault::Replaced {
                at: None,
                before: json!(200),
                after: json!(404),
            },
            "reading what was created before gives 404 after others were created",
        ),
        (
            FlowFault::More {
                said: false,
                items: 1,
            },
            "a page says that it is the last one, but the next one has 1 more item",
        ),
        (
            FlowFault::More {
                said: true,
                items: 0,
            },
            "the last page says that there are more",
        ),
        (
            FlowFault::TotalPages {
                at: "/totalPages".to_owned(),
                stated: 1,
                counted: 3,
            },
            "/totalPages is 1, but the list has 3 pages",
        ),
        (
            FlowFault::NotDefault {
                parameter: "limit".to_owned(),
                asked: "limit=20".to_owned(),
                items: Some((2, 3)),
            },
            "`limit=20` is the default, but gives 3 items, and 2 where it is left out",
        ),
        (
            FlowFault::NotDefault {
                parameter: "unit".to_owned(),
                asked: "unit=m".to_owned(),
                items: None,
            },
            "`unit=m` is the default, but gives another response where it is left out",
        ),
        (
            FlowFault::Unobserved {
                reason: NotObserved::Refused {
                    failure: StepFailure::Status { status: 403 },
                    words: Some("no".to_owned()),
                },
            },
            "not observed: the response was 403: no",
        ),
        (
            FlowFault::PageSkips { items: 1, of: 5 },
            "page by page, 1 item of 5 did not come",
        ),
        (
            FlowFault::Total {
                at: "/total".to_owned(),
                stated: 5,
                counted: 1,
                asked: Some("color=red".to_owned()),
            },
            "with `color=red` /total is 5, but the list has 1 item",
        ),
        (
            FlowFault::Unfiltered {
                asked: "color=red".to_owned(),
                at: "/color".to_owned(),
                found: Some(json!("blue")),
            },
            "asked for `color=red`, but /color of an item is \"blue\"",
        ),
        (
            FlowFault::Unfiltered {
                asked: "color=red".to_owned(),
                at: "/color".to_owned(),
                found: None,
            },
            "asked for `color=red`, but the item that was created with this /color is missing",
        ),
        (
            FlowFault::Unsorted {
                asked: "sort=-size".to_owned(),
                at: "/size".to_owned(),
                before: json!(1),
                after: json!(2),
            },
            "asked for `sort=-size`, but /size is 1 in one item and 2 in the next",
        ),
        (
            FlowFault::Effect {
                status: 422,
                at: Some(at()),
                before: json!("old"),
                after: json!("new"),
            },
            "/title: refused with 422, but changed from \"old\" to \"new\"",
        ),
        (
            FlowFault::Effect {
                status: 422,
                at: None,
                before: json!(3),
                after: json!(4),
            },
            "refused with 422, but the list has 4 items instead of 3",
        ),
        (
            FlowFault::Unconditional {
                header: "If-Match".to_owned(),
                status: 200,
            },
            "`If-Match` with a tag that the server never gave: expected 412, got 200",
        ),
        (
            FlowFault::Unconditional {
                header: "If-None-Match".to_owned(),
                status: 304,
            },
            "`If-None-Match` with a tag that the server never gave: expected 200, got 304",
        ),
        (
            FlowFault::CreatedAgain {
                at: "/code".to_owned(),
                status: 201,
            },
            "/code: created with an id that exists: expected 409, got 201",
        ),
        (
            FlowFault::Elsewhere {
                parent: "books".to_owned(),
                status: 200,
            },
            "created below one of `books`, but reading it below another one gives 200",
        ),
        (
            FlowFault::Foreign {
                access: Access::Delete,
                status: 403,
            },
            "the second user was refused with 403, but what the first one created is gone",
        ),
    ] {
        assert_eq!(sentence(&fault), expected);
    }
}
