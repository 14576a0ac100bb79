//! The table of rules about sequences of operations. A rule is named after the claim that it breaks.

use super::{Rule, Shown};
use crate::finding::Severity::{Breaking, Undecided, Warning};

rules! {
    CREATED_READABLE = "created-readable" Breaking "What was created cannot be read with its id.",
        "POST /notes: 201, id 7" => "GET /notes/7: 404 Not Found";
    LOCATION_RESOLVES = "location-resolves" Breaking "The `Location` of a creation does not lead to what was created.",
        "Location: /notes/7" => "GET /notes/7: 404 Not Found";
    CREATED_LISTED = "created-listed" Breaking "The list does not have what was created.",
        "POST /notes: 201, id 7" => "GET /notes: no item with the id 7";
    LISTED_AS_READ = "listed-as-read" Breaking "An item of a list has another value than the read of it.",
        "GET /notes: \"title\": \"one\" with the id 7" => "GET /notes/7: \"title\": \"two\"";
    LISTED_READABLE = "listed-readable" Breaking "An item of a list cannot be read with its id.",
        "GET /notes: an item with the id 7" => "GET /notes/7: 404 Not Found";
    WRITTEN_READ = "written-read" Breaking "A member is read with another value than the one that a creation or replacement sent.",
        "sent \"title\": \"A long title\"" => "read \"title\": \"A long\"";
    ANSWER_AS_READ = "answer-as-read" Breaking "The response to a creation, update or replacement shows another value than the read that follows it.",
        "PATCH /notes/7 { \"title\": \"new\" }: \"title\": \"old\"" => "read \"title\": \"new\"";
    CREATE_KEEPS_OTHERS = "create-keeps-others" Breaking "A creation gave its value to something that was created before; a warning where that cannot be read any more.",
        "POST /notes { \"title\": \"two\" }: id 8" => "GET /notes/7: \"title\": \"two\"";
    DEFAULT_APPLIED = "default-applied" Breaking "A member that was left out is read with another value than its documented default.",
        "color: { default: red }" => "read \"color\": null";
    READ_CHANGES_NOTHING = "read-changes-nothing" Breaking "Two reads in a row give different values of a member that clients write.",
        "GET /notes/7: \"size\": 1" => "GET /notes/7: \"size\": 2";
    UPDATE_APPLIED = "update-applied" Breaking "A member that an update sent is not read with its new value.",
        "PATCH /notes/7 { \"title\": \"new\" }" => "read \"title\": \"old\"";
    UPDATE_KEEPS_OTHERS = "update-keeps-others" Breaking "An update changed a member that it did not send.",
        "PATCH /notes/7 { \"title\": \"new\" }" => "\"tags\" was [\"a\"], and is []";
    UPDATE_MOVES_TIME = "update-moves-time" Warning "The time of the last change did not move forward with an update; breaking where it went back.",
        "\"updatedAt\": \"10:00:00.000Z\"" => "the same after PATCH /notes/7";
    UPDATE_MOVES_ETAG = "update-moves-etag" Breaking "The `ETag` stayed the same although an update changed the representation (RFC 9110, 8.8.3); a warning where it is a weak one.",
        "GET /notes/7: ETag \"a\"" => "the same after PATCH /notes/7 changed the title";
    PUT_REPLACES = "put-replaces" Warning "A replacement kept a member that it does not have: PUT sets the whole state (RFC 9110, 9.3.4).",
        "PUT /notes/7 without \"color\"" => "\"color\" is still \"red\"";
    REPEAT_CHANGES_NOTHING = "repeat-changes-nothing" Breaking "The same PUT again changed something: PUT is idempotent (RFC 9110, 9.2.2).",
        "PUT /notes/7: \"tags\": [\"a\"]" => "again: \"tags\": [\"a\", \"a\"]";
    KEY_CREATES_ONCE = "key-creates-once" Breaking "Two requests with the same idempotency key created two things.",
        "Idempotency-Key: k, 201, id 7" => "Idempotency-Key: k, 201, id 8";
    DELETED_GONE = "deleted-gone" Breaking "What was deleted can still be read or updated.",
        "DELETE /notes/7: 204" => "GET /notes/7: 200 OK";
    DELETED_UNLISTED = "deleted-unlisted" Breaking "The list still has what was deleted.",
        "DELETE /notes/7: 204" => "GET /notes: an item with the id 7";
    DELETED_ONCE = "deleted-once" Warning "A second deletion is answered as a success, although the document has a status for what is not there.",
        "DELETE /notes/7: 204, 404" => "DELETE /notes/7 again: 204";
    FOREIGN_READ = "foreign-read" Breaking "A second user can read what the first one created.",
        "GET /notes/7 by the first user: 200" => "GET /notes/7 by the second user: 200";
    FOREIGN_LIST = "foreign-list" Breaking "The list of a second user has what the first one created.",
        "GET /notes by the first user: 7" => "GET /notes by the second user: 7";
    FOREIGN_UPDATE = "foreign-update" Breaking "A second user can update what the first one created.",
        "PATCH /notes/7 by the first user: 200" => "PATCH /notes/7 by the second user: 200";
    FOREIGN_DELETE = "foreign-delete" Breaking "A second user can delete what the first one created.",
        "DELETE /notes/7 by the first user: 204" => "DELETE /notes/7 by the second user: 204";
    PAGES_COMPLETE = "pages-complete" Breaking "Reading a list page by page leaves out items.",
        "GET /notes: 7, 8, 9" => "page by page: 7, 9";
    PAGES_DISTINCT = "pages-distinct" Breaking "Reading a list page by page gives items several times.",
        "GET /notes: 7, 8, 9" => "page by page: 7, 8, 8, 9";
    PAGES_END = "pages-end" Breaking "Reading a list page by page does not end.",
        "\"next\": null on the last page" => "every page has a next one";
    PAGE_SIZE_KEPT = "page-size-kept" Breaking "A page has more items than were asked for.",
        "GET /notes?limit=2" => "3 items";
    TOTAL_TRUE = "total-true" Breaking "The total that a list states is not the number of its items.",
        "\"total\": 5" => "3 items on all pages";
    MORE_TRUE = "more-true" Breaking "A page says that it is the last one, and there is another one; a warning where the last page says that there are more.",
        "GET /notes?page=1: \"hasMore\": false" => "GET /notes?page=2: 3 items";
    OMITTED_AS_DEFAULT = "omitted-as-default" Breaking "A read without a query parameter gives something else than with the documented default of the parameter.",
        "GET /notes?limit=20: 20 items" => "GET /notes: 50 items";
    FILTER_APPLIED = "filter-applied" Breaking "A list that is asked for the items with a value has others, or lacks one that has it; a warning where the parameter takes any text.",
        "GET /notes?color=red" => "an item with \"color\": \"blue\"";
    ORDER_KEPT = "order-kept" Breaking "A list is not in the order that it is asked for.",
        "GET /notes?sort=-size" => "\"size\": 1 before \"size\": 2";
    REFUSED_CHANGES_NOTHING = "refused-changes-nothing" Breaking "A request that was refused as invalid changed something.",
        "POST /notes: 422" => "GET /notes has one item more";
    CONDITION_CHECKED = "condition-checked" Breaking "A change was made although the tag in `If-Match` is not that of the representation, or a read with an unknown tag in `If-None-Match` was answered with 304 (RFC 9110, 13.1).",
        "PATCH /notes/7 with If-Match: \"unknown\"" => "200 in place of 412";
    ID_TAKEN_ONCE = "id-taken-once" Breaking "Something was created with an id that exists, although the document has a status for a conflict.",
        "POST /notes { \"id\": 7 }: 201" => "the same id again: 201 in place of 409";
    PARENT_CHECKED = "parent-checked" Warning "Something can be read below another thing than that it was created below.",
        "POST /notes/7/files: 201, id 9" => "GET /notes/8/files/9: 200 OK";
    FLOW_NOT_OBSERVED = "flow-not-observed" Undecided "A sequence of operations was not observed, as the server refused what it depends on.",
        "POST /notes: 201 Created" => "POST /notes: 403 Forbidden";
    FLOW_CRITERION = "flow-criterion" Breaking "A step of a workflow did not meet one of its success criteria.",
        "condition: $statusCode == 200" => "404 Not Found";
}
