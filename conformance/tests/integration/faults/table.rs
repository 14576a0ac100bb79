//! The faults of the shop, and what finds them.

use conformance::finding::Severity;

/// One fault.
pub(super) struct Fault {
    /// How the shop is told to have it.
    pub(super) id: &'static str,
    /// The fault of the server, after "The server".
    pub(super) does: &'static str,
    /// The rule that finds it.
    pub(super) rule: &'static str,
    /// A part of the finding.
    pub(super) part: &'static str,
    /// Other rules that have reason to complain.
    pub(super) also: &'static [&'static str],
    /// The heading in the table.
    pub(super) group: &'static str,
}

macro_rules! faults {
    ($($group:literal { $($id:literal $does:literal $rule:literal $part:literal $([$($also:literal),*])?;)* })*) => {
        /// All faults.
        pub(super) static FAULTS: &[Fault] = &[$($(Fault {
            id: $id,
            does: $does,
            rule: $rule,
            part: $part,
            also: &[$($($also),*)?],
            group: $group,
        },)*)*];
    };
}

/// The page that lists the faults, by the severities of their findings.
pub(super) fn page(severities: &[Severity]) -> String {
    let mut page = format!(
        "# Faults of a server, and what finds them\n\n\
         Written and checked by a test: a server in `tests/integration/faults` has each of these {} faults in turn, and a run of\n\
         `conformance generate` with its defaults (but for what stands in brackets) finds it by the rule that is named, and by no other. On\n\
         the right server nothing is found, with 200 seeds. [RULES.md](RULES.md) explains the rules, [REPLAY.md](REPLAY.md) the requests.\n",
        FAULTS.len()
    );
    let mut group = "";
    for (fault, severity) in FAULTS.iter().zip(severities) {
        if group != fault.group {
            group = fault.group;
            page +=
                &format!("\n## {group}\n\n| the server ... | rule | severity |\n|---|---|---|\n");
        }
        page += &format!(
            "| {} | `{}` | {} |\n",
            fault.does,
            fault.rule,
            severity.word()
        );
    }
    page
}

faults! {
    "Bodies of requests" {
        "required" "does not ask for a required member" "invalid-refused" "body without `sku`";
        "unknown-member" "takes unknown members although the schema is closed" "invalid-refused" "unknown member";
        "name-case" "takes the name of a member in another case" "invalid-refused" "in place of";
        "type" "takes a string for an integer" "invalid-refused" "`qty` is a string";
        "null" "takes null where it is not allowed" "invalid-refused" "`qty` is null";
        "boolean" "takes a string for a boolean" "invalid-refused" "`gift` is a string";
        "fraction" "takes a fraction for an integer" "invalid-refused" "`qty` has a fraction";
        "minimum" "takes a number below the minimum" "invalid-refused" "`qty` one below its minimum";
        "maximum" "takes a number above the maximum" "invalid-refused" "`qty` one above its maximum";
        "exclusive-minimum" "takes the exclusive minimum" "invalid-refused" "`price` at its exclusive minimum";
        "multiple-of" "takes numbers that are not multiples" "invalid-refused" "`price` is not a multiple";
        "int32" "takes integers beyond 32 bits" "invalid-refused" "`code` is ";
        "enum" "takes any string for an enum" "invalid-refused" "`kind` ";
        "enum-case" "takes an enum in another case" "invalid-refused" "`kind` is \"SMALL\"";
        "const" "takes any string for a constant" "invalid-refused" "`version` is not its constant";
        "min-length" "takes a text below the minimum length" "invalid-refused" "`note` one character below";
        "max-length" "takes a text above the maximum length" "invalid-refused" "`note` one character above";
        "length-in-bytes" "counts bytes instead of characters" "valid-accepted" "not in ASCII";
        "pattern" "does not look at the pattern" "invalid-refused" "`sku` is ";
        "date" "takes any text for a date" "invalid-refused" "`day` is not a valid date";
        "date-time" "takes any text for a time" "invalid-refused" "`at` is not a valid date-time";
        "uuid" "takes any text for a UUID" "invalid-refused" "`ref` is not a valid uuid";
        "email" "takes any text for an e-mail address" "invalid-refused" "`email` is not a valid email";
        "not" "takes what `not` excludes" "invalid-refused" "`nick` is what";
        "min-items" "takes an empty list where an item is needed" "invalid-refused" "`tags` ";
        "max-items" "takes one item too many" "invalid-refused" "`tags` with one item too many";
        "unique-items" "takes an item twice" "invalid-refused" "`tags` with an item twice";
        "item-type" "takes numbers for items that are strings" "invalid-refused" "`tags[0]` is a number";
        "tuple-type" "takes another type in a tuple" "invalid-refused" "`pair[1]` is a string";
        "tuple-length" "takes an item beyond a tuple" "invalid-refused" "`pair` with an item";
        "nested-required" "does not ask for a required member of a part" "invalid-refused" "`address` without `city`";
        "nested-unknown" "takes unknown members of a part that is closed" "invalid-refused" "`address` with an unknown member";
        "nested-pattern" "does not look at the pattern of a part" "invalid-refused" "`address.zip` is ";
        "branch-required" "does not ask for a required member of an alternative" "invalid-refused" "without `number`";
        "branch-kind" "takes an alternative that there is not" "invalid-refused" "`payment.kind`";
        "additional-schema" "takes other values of additional members" "invalid-refused" "wrong value of an additional member";
        "max-properties" "takes one member too many" "invalid-refused" "`labels` with one member too many";
        "property-names" "takes member names that are not allowed" "invalid-refused" "`labels` with a member named";
        "dependent-required" "takes a member without the one that it needs" "invalid-refused" "`from`";
        "refuses-maximum" "refuses the maximum" "valid-accepted" "`qty` at its maximum";
        "refuses-enum" "refuses a value of an enum" "valid-accepted" "\"large\"";
        "refuses-null" "refuses null where it is allowed" "valid-accepted" "`comment` is null";
        "refuses-branch" "refuses an alternative" "valid-accepted" "`payment` as alternative 2";
        "refuses-optional" "refuses an optional member" "valid-accepted" "body with `gift`";
        "malformed-accepted" "takes JSON that cannot be read" "invalid-refused" "ends too early";
        "nan-accepted" "takes NaN for a number" "invalid-refused" "is NaN";
        "malformed-crash" "fails on JSON that cannot be read" "no-server-error" "got 500";
        "depth-crash" "breaks down on JSON that is nested deeply" "answer-complete" "10,000 brackets";
        "empty-accepted" "takes an empty body" "invalid-refused" "empty body";
        "any-content-type" "reads JSON under any content type" "media-type-refused" "body as `text/plain`";
        "form-required" "does not ask for a required field of a form" "invalid-refused" "body without `name`";
        "form-unknown" "takes unknown fields of a closed form" "invalid-refused" "unknown member";
        "form-length" "takes a field that is too long" "invalid-refused" "`name` one character above";
        "form-integer" "takes words for a number in a form" "invalid-refused" "`age` ";
        "form-maximum" "takes a number above the maximum in a form" "invalid-refused" "`age` one above its maximum";
        "form-items" "takes a field too often" "invalid-refused" "`list` with one item too many";
        "form-type" "reads a form under any content type" "media-type-refused" "body as `text/plain`";
        "part-required" "does not ask for a required part" "invalid-refused" "body without `title`";
        "part-file" "does not ask for a required file" "invalid-refused" "body without `file`";
        "part-length" "takes a part that is too long" "invalid-refused" "`title` one character above";
        "part-minimum" "takes a number below the minimum in a part" "invalid-refused" "`count` one below its minimum";
        "text-type" "reads text under any content type" "media-type-refused" "application/xml";
        "text-length" "takes a text body that is too long" "invalid-refused" "body one character above";
        "refuses-type" "refuses the documented content type" "never-accepted" "415";
        "post-405" "does not have a documented method" "status-documented" "405" ["never-accepted"];
    }
    "Parameters" {
        "query-missing" "does not ask for a required query parameter" "invalid-refused" "without the query parameter `limit`";
        "query-type" "takes words for an integer" "invalid-refused" "`limit` ";
        "query-minimum" "takes a number below the minimum" "invalid-refused" "`limit` one below";
        "query-maximum" "takes a number above the maximum" "invalid-refused" "`limit` one above";
        "query-enum" "takes any text for an enum" "invalid-refused" "`kind` ";
        "query-max-items" "takes one item too many" "invalid-refused" "`tags` with one item too many";
        "query-unique" "takes an item twice" "invalid-refused" "`tags` with an item twice";
        "query-item" "takes an item that is too short" "invalid-refused" "`tags";
        "query-list-type" "takes words in a list of integers with commas" "invalid-refused" "`ids";
        "deep-required" "does not ask for a required member of a deep object" "invalid-refused" "`filter` without `min`";
        "deep-type" "takes words for an integer in a deep object" "invalid-refused" "`filter.min` has a fraction";
        "json-parameter" "takes a parameter that is not JSON" "invalid-refused" "`where` is not JSON";
        "json-parameter-schema" "does not look into a parameter of JSON" "invalid-refused" "`where";
        "header-missing" "does not ask for a required header" "invalid-refused" "without the header parameter `X-Tenant`";
        "header-enum" "takes any text for a header with an enum" "invalid-refused" "`X-Tenant` outside its enum";
        "header-format" "takes any text for a header with a format" "invalid-refused" "`X-Trace` is not a valid uuid";
        "cookie-enum" "takes any text for a cookie with an enum" "invalid-refused" "`theme` outside its enum";
        "path-type" "takes words for an integer in the path" "invalid-refused" "path parameter `itemId` is a string";
        "path-bound" "takes a number beyond its bounds in the path" "invalid-refused" "path parameter `itemId` one";
        "path-enum" "takes any text for an enum in the path, in the style `label`" "invalid-refused" "path parameter `color` outside its enum";
        "path-encoding" "fails on a path that cannot be decoded" "no-server-error" "path parameter `itemId`";
        "path-crash" "fails on words for an integer in the path" "no-server-error" "path parameter `itemId`";
    }
    "Credentials" {
        "public" "asks for no credentials" "credentials-required" "without credentials" ["credentials-checked"];
        "any-token" "takes any token" "credentials-checked" "that nobody was given";
        "token-prefix" "takes a token with something behind it" "credentials-checked" "with one more character";
        "token-start" "looks at the beginning of a token only" "credentials-checked" "with one other character";
        "token-length" "looks at the length of a token only" "credentials-checked" "with one other character";
        "token-case" "takes a token in another letter case" "credentials-checked" "in another letter case";
        "any-scheme" "takes a token behind the name of another scheme" "credentials-checked" "another scheme";
        "and-first-ignored" "ignores the first of two credentials" "credentials-required" "`key` left out" ["credentials-checked"];
        "and-first-present-only" "asks only that the first of two credentials is there" "credentials-checked" "`key` that nobody was given";
        "and-second-ignored" "ignores the second of two credentials" "credentials-required" "`secret` left out" ["credentials-checked"];
        "and-second-prefix" "looks at the beginning of the second of two credentials only" "credentials-checked" "`secret` with one other character";
        "cookie-present-only" "asks only that a session cookie is there" "credentials-checked" "`session` that nobody was given";
        "cookie-ignored" "ignores the session cookie" "credentials-required" "without credentials" ["credentials-checked"];
        "basic-user-only" "does not look at the password" "credentials-checked" "`basic` that nobody was given";
        "basic-ignored" "ignores user name and password" "credentials-required" "without credentials" ["credentials-checked"];
        "refuses-all" "refuses the right credentials" "never-accepted" "none of";
    }
    "Methods" {
        "method-404" "answers 404 to a method that the path does not have" "method-refused" "refused with 404";
        "method-accepted" "has a method that is not documented" "method-refused" "with the method DELETE";
        "method-crash" "fails on a method that the path does not have" "no-server-error" "with the method";
        "allow-missing" "answers 405 without `Allow`" "allow-header" "there is none";
        "allow-lacks" "leaves a documented method out of `Allow`" "allow-header" "lacks POST";
        "allow-lies" "names a method in `Allow` that it refuses" "allow-header" "which was just refused";
        "head-404" "does not find for `HEAD` what it finds for `GET`" "head-as-get" "404";
        "head-headers" "leaves a required header out of the answer to `HEAD`" "header-documented" "X-Total";
        "head-crash" "fails on `HEAD`" "no-server-error" "HEAD";
        "options-crash" "fails on `OPTIONS`" "no-server-error" "OPTIONS";
        "options-allow" "leaves a documented method out of the answer to `OPTIONS`" "allow-header" "lacks POST";
    }
    "Statuses and headers of responses" {
        "status" "answers a status that is not documented" "status-documented" "got 203";
        "error-status" "refuses with a status that is not documented" "status-documented" "got 422";
        "server-error" "fails" "no-server-error" "got 503" ["never-accepted"];
        "success-as-redirection" "redirects where that is not documented" "status-documented" "got 307";
        "content-type" "answers another content type" "content-type-documented" "text/html";
        "content-type-missing" "answers without a content type" "content-type-documented" "missing";
        "content-type-twice" "answers two content types" "content-type-documented" "2 times";
        "content-type-broken" "answers a content type that is not one" "content-type-documented" "not a media type";
        "error-content-type" "refuses with another content type" "content-type-documented" "text/html";
        "accept-ignored" "ignores which of the documented media types is accepted" "accept-honored" "text/csv";
        "header-absent" "leaves out a required header" "header-documented" "`X-Total` is missing";
        "header-type" "sends a word for an integer in a header" "header-documented" "X-Total: many";
        "header-minimum" "sends a number below the minimum in a header" "header-documented" "X-Total: -1";
        "header-second" "sends a wrong value in the second of two equal headers" "header-documented" "X-Mark: z";
        "header-uuid" "sends a header that is not of its format" "header-documented" "X-Request-Id: 17";
        "location-absent" "creates without the documented `Location`" "header-documented" "`Location` is missing";
        "location-broken" "sends a `Location` that is not a URI" "location-valid" "http://[bad";
        "location-twice" "sends two `Location` headers" "location-valid" "2 times";
        "location-missing" "redirects without `Location`" "location-valid" "without";
    }
    "Bodies of responses" {
        "body-required" "leaves out a required member" "body-schema" "`ok` is missing";
        "body-type" "sends a string for a boolean" "body-schema" "a boolean";
        "body-null" "sends null where it is not allowed" "body-schema" "/name";
        "body-minimum" "sends a number below the minimum" "body-schema" "at least 1";
        "body-fraction" "sends a fraction for an integer" "body-schema" "an integer";
        "body-min-length" "sends a text that is too short" "body-schema" "1 character";
        "body-format" "sends a time that is not one" "body-schema" "date-time";
        "body-enum" "sends a value that an enum does not have" "body-schema" "huge";
        "body-unknown" "sends an unknown member of a closed object" "body-schema" "internal";
        "body-pattern" "sends an id against its pattern, in the second item" "body-schema" "/1/id";
        "body-unique" "sends an item twice" "body-schema" "unique";
        "body-branch" "sends none of the alternatives" "body-schema" "user";
        "body-list" "sends an object for a list" "body-schema" "an array";
        "body-missing" "sends no body" "body-schema" "got none";
        "body-not-json" "sends JSON that cannot be read" "body-schema" "not JSON";
        "body-html" "sends a page of HTML as JSON" "body-schema" "<html>";
        "body-not-utf8" "sends JSON that is not UTF-8" "body-schema" "not UTF-8";
        "body-mark" "begins JSON with a byte order mark" "body-schema" "byte order mark";
        "body-charset" "declares JSON as ISO 8859-1" "body-schema" "iso-8859-1";
        "text-charset" "declares a charset that the text is not in" "body-schema" "utf-16";
        "text-short" "sends a text that is too short" "body-schema" "at least 3";
        "text-pattern" "sends a text against its pattern" "body-schema" "does not match";
        "gzip" "compresses although nobody asked for it" "body-schema" "gzip";
        "gzip-unsaid" "compresses and does not say so" "body-schema" "gzip";
        "body-of-204" "sends a body with 204" "body-empty" "204";
        "error-body" "sends another body than documented when it refuses" "body-schema" "`error` is missing";
        "error-empty" "sends no body when it refuses, where one is documented" "body-schema" "got none";
        "extra-member" "sends a member that the schema does not declare (with `--strict`)" "member-documented" "internal";
    }
    "Connections" {
        "endless" "sends a body without end" "answer-complete" "larger than" ["never-accepted"];
        "cut-off" "ends the connection in the middle of a body" "answer-complete" "broke" ["never-accepted"];
        "closed" "ends the connection without an answer" "answer-complete" "broke" ["never-accepted"];
        "hangs" "does not answer (with a `--timeout` of 3 s)" "answer-complete" "3 s" ["never-accepted"];
        "slow" "answers slowly (with `--max-response-time`)" "response-time" "longer than";
    }
}
