//! The table of rules about exchanges and samples. A rule about a response is named after the claim that it breaks.

use super::{Rule, Shown};
use crate::finding::Severity::{Breaking, Info, Undecided, Warning};

rules! {
    ANSWER_COMPLETE = "answer-complete" Breaking "The response was not complete, or not within the time or size limit.",
        "Content-Length: 120" => "the connection ends after 60 bytes";
    NO_SERVER_ERROR = "no-server-error" Breaking "The server responded with 5xx, and the sample is not documented under it.",
        "201 Created" => "500 Internal Server Error";
    STATUS_DOCUMENTED = "status-documented" Breaking "The status is not documented: neither exactly, nor by range, nor by `default`.",
        "responses: { 201: .., 422: .. }" => "200 OK";
    STATUS_AS_SAMPLE = "status-as-sample" Breaking "The status is documented, but the sample is documented under another one.",
        "a sample under 422" => "201 Created";
    CONTENT_TYPE_DOCUMENTED = "content-type-documented" Breaking "The content type is missing or not a documented one; a warning where no content is documented.",
        "content: { application/json: .. }" => "Content-Type: text/html";
    HEADER_DOCUMENTED = "header-documented" Breaking "A documented header is missing or not valid.",
        "X-Rate-Limit: { schema: { type: integer } }" => "X-Rate-Limit: many";
    BODY_SCHEMA = "body-schema" Breaking "The body violates its schema, or cannot be read.",
        "id: { type: string }" => "{ \"id\": 7 }";
    BODY_EMPTY = "body-empty" Breaking "A response that is documented without content has a body.",
        "204: { description: gone }" => "204 with 12 bytes";
    SAMPLE_MEMBERS = "sample-members" Breaking "The body has other members or types than the sample; a warning for members that the schema does not declare.",
        "{ \"id\": \"a\", \"name\": \"n\" }" => "{ \"id\": \"a\" }";
    SAMPLE_VALUES = "sample-values" Breaking "The sample repeats a value of its request, and the response does not.",
        "sent \"name\": \"n\", answered \"name\": \"n\"" => "answered \"name\": \"m\"";
    SAMPLE_OWN_SCHEMA = "sample-own-schema" Breaking "A sample of the document violates its own schema; a warning for a `default`.",
        "schema: { type: string, format: date }" => "value: tomorrow";
    SCHEMA_UNUSABLE = "schema-unusable" Undecided "A schema is not valid, so nothing was validated against it.",
        "pattern: '^[a-z]+$'" => "pattern: '^[a-z+$'";
    OPERATION_WITHOUT_SAMPLE = "operation-without-sample" Info "The document has no sample for an operation, so nothing was sent.",
        "examples: { one: { value: .. } }" => "content: { application/json: {} }";
    SAMPLE_UNCHECKED = "sample-unchecked" Undecided "A sample was not sent because no value is known for a path parameter.",
        "GET /notes/{id}" => "no note could be created";
    SAMPLE_NOT_REPLAYABLE = "sample-not-replayable" Info "A sample cannot be made into a request.",
        "a response with the name of a request sample" => "a response sample without a request";
    REPLAY_RECIPE = "replay-recipe" Undecided "The `x-replay` of a sample cannot be followed.",
        "x-replay: { from: guide }" => "x-replay: { from: no-such-sample }";
    INVALID_REFUSED = "invalid-refused" Breaking "The server accepted a request that the document does not allow; a warning where it was refused with another status than it should.",
        "required: [qty]" => "a request without `qty`: 201 Created";
    MEDIA_TYPE_REFUSED = "media-type-refused" Breaking "The server accepted a body of a content type that the operation does not take.",
        "content: { application/json: .. }" => "Content-Type: text/plain: 201 Created";
    CREDENTIALS_REQUIRED = "credentials-required" Breaking "The server accepted a request without the credentials that the operation needs: without all, or without one of several.",
        "security: [{ key: [] }]" => "a request without `X-API-Key`: 200 OK";
    CREDENTIALS_CHECKED = "credentials-checked" Breaking "The server accepted a credential that is altered, in another letter case, shortened, lengthened, unknown, or of another scheme.",
        "Authorization: Bearer abc" => "Authorization: Bearer abd: 200 OK";
    METHOD_REFUSED = "method-refused" Warning "The server did not answer 405 to a method that the path does not have; breaking where it accepted the request.",
        "/orders: { get: .. }" => "DELETE /orders: 404 Not Found";
    ALLOW_HEADER = "allow-header" Warning "A 405 response has no `Allow` header, or one that does not fit the documented methods; breaking where it contradicts the response or the document.",
        "/orders: { get: .., post: .. }" => "405 with Allow: GET";
    HEAD_AS_GET = "head-as-get" Warning "`HEAD` is not answered like the documented `GET`; a warning, since the document does not have it.",
        "GET /orders: 200" => "HEAD /orders: 404 Not Found";
    ACCEPT_HONORED = "accept-honored" Warning "The response has another media type than the documented one that the request accepts.",
        "Accept: text/csv" => "Content-Type: application/json";
    LOCATION_VALID = "location-valid" Breaking "A `Location` header is not a URI reference, or is given several times; a warning where a redirection has none.",
        "201 Created" => "Location: http://[/1";
    OPERATION_UNDOCUMENTED = "operation-undocumented" Warning "Recorded traffic has requests that no operation of the document describes.",
        "paths: { /orders: { get: .. } }" => "PUT /orders: 200 OK";
    MEMBER_DOCUMENTED = "member-documented" Breaking "The body has a member that its schema does not declare; only with `--strict`.",
        "properties: { id: .. }" => "{ \"id\": \"a\", \"internal\": 1 }";
    RESPONSE_TIME = "response-time" Breaking "The response took longer than `--max-response-time`.",
        "--max-response-time 0.5" => "a response after 0.7 s";
    VALID_ACCEPTED = "valid-accepted" Warning "The server refused a request that the document allows.",
        "qty: { type: integer }" => "a request with `qty`: 400 Bad Request";
    NEVER_ACCEPTED = "never-accepted" Undecided "The server accepted no request to an operation, so that little of it was checked.",
        "GET /orders: 200" => "401 Unauthorized to each of 12 requests";
    UNOBSERVED = "unobserved" Undecided "A documented status, a sample or an operation was not observed; only with `--fail-on-unobserved`.",
        "responses: { 200: .., 404: .. }" => "no response was 404";
    REQUEST_UNSATISFIABLE = "request-unsatisfiable" Breaking "No value is valid under a schema of a request, so that no request can be right; a warning for an optional member, which no request can have.",
        "{ type: integer, minimum: 5, maximum: 1 }" => "no value";
    CASES_NOT_GENERATED = "cases-not-generated" Undecided "No valid value was found for a schema of a request, so that no requests were generated.",
        "{ type: string, pattern: '^(?=.*a)(?=b).{8}(?<=c)$' }" => "no value was found";
    RESOURCE_NOT_CREATED = "resource-not-created" Undecided "The server did not create what other samples need.",
        "POST /notes: 201 Created" => "POST /notes: 503 Service Unavailable";
}
