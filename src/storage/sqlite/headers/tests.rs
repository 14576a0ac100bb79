//! Headers through shapes and back.

use super::super::cost::Subject;
use super::*;

fn beside() -> Beside {
    Beside {
        id: Uuid::from_u128(0x0190_0000_0000_4000_8000_0000_0000_00ab),
        started_at: "2026-11-29T07:41:26.5Z".parse().unwrap(),
    }
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn typical() -> Vec<(String, String)> {
    headers(&[
        ("content-type", "application/json"),
        ("user-agent", "truehook/0.1.0"),
        ("x-hex", &"0f".repeat(32)),
        ("x-base64", "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes="),
        ("x-time", "1795938086"),
        ("x-id", "01900000-0000-4000-8000-0000000000ab"),
        ("authorization", "[redacted]"),
    ])
}

/// Stores headers, and reads them.
fn through(subject: &Subject, shapes: &Shapes, side: Side, headers: &[(String, String)]) -> Stored {
    let connection = subject.connection();
    let shaped = Shaped::of(headers, &beside());
    if let Some(shape) = shapes.unknown(side, shaped.as_ref()) {
        let number = add(connection, side, &shape).unwrap();
        shapes.learn(side, shape, number);
    }
    let stored = shapes.pack(side, headers, shaped).unwrap();
    let found = connection
        .query_row("SELECT ?1", [&stored], |row| {
            Ok(read(connection, row.get_ref(0)?, &beside()).unwrap())
        })
        .unwrap();
    assert_eq!(found, headers);
    stored
}

#[test]
fn headers_of_a_usual_request_take_the_bytes_of_their_signatures() {
    let subject = Subject::new();
    let shapes = Shapes::of(subject.connection()).unwrap();
    let stored = through(&subject, &shapes, Side::Request, &typical());
    let Stored::Packed(bytes) = stored else {
        panic!("{stored:?}");
    };
    assert_eq!(bytes.len(), 1 + 33 + 33);
    // Another process knows the shape from the file, and gives it no second number.
    let other = Shapes::of(subject.connection()).unwrap();
    let again = through(&subject, &other, Side::Request, &typical());
    assert_eq!(again, Stored::Packed(bytes));
}

#[test]
fn any_headers_are_read_as_they_were() {
    let subject = Subject::new();
    let shapes = Shapes::of(subject.connection()).unwrap();
    let (long, many) = ("x".repeat(600), vec![("a", "b"); 300]);
    for all in [
        headers(&[]),
        headers(&[("date", "Sun, 29 Nov 2026 07:41:25 GMT")]),
        headers(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT")]),
        headers(&[("date", "Sun, 29 Nov 1926 07:41:25 GMT")]),
        headers(&[("date", "Mon, 29 Nov 2026 07:41:25 GMT")]),
        headers(&[("expires", "Sunday, 06-Nov-94 08:49:37 GMT")]),
        headers(&[("x", "01795938086"), ("x", "+1795938086")]),
        headers(&[
            ("x", ""),
            ("", "x"),
            ("x", "ü\t\r"),
            ("x", "0F0F0F0F0F0F0F0F0F"),
        ]),
        headers(&[("x", "01900000-0000-4000-8000-0000000000AB")]),
        headers(&[("x", "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQet=")]),
        headers(&[("x=y", "1"), ("x:y", "1")]),
        headers(&[("server", "a\nb")]),
        headers(&[("server", "a=b: c"), ("server", "")]),
        headers(&[("x", &long)]),
        headers(&[("server", &long)]),
        headers(&many),
    ] {
        through(&subject, &shapes, Side::Answer, &all);
        through(&subject, &shapes, Side::Request, &all);
    }
}

#[test]
fn receivers_cannot_fill_the_file_with_shapes_nor_keep_requests_from_theirs() {
    let subject = Subject::new();
    let shapes = Shapes::of(subject.connection()).unwrap();
    subject.connection().execute_batch("BEGIN").unwrap();
    for number in 0..ANSWER_SHAPES + 10 {
        let server = format!("server {number}");
        let stored = through(
            &subject,
            &shapes,
            Side::Answer,
            &headers(&[("server", &server)]),
        );
        let is_packed = matches!(stored, Stored::Packed(_));
        assert_eq!(is_packed, number < ANSWER_SHAPES, "{number}");
    }
    let stored = through(&subject, &shapes, Side::Request, &typical());
    assert!(matches!(stored, Stored::Packed(_)));
    let known = through(
        &subject,
        &shapes,
        Side::Answer,
        &headers(&[("server", "server 7")]),
    );
    assert!(matches!(known, Stored::Packed(_)));
}

#[test]
fn values_that_are_not_of_their_shape_are_told_from_headers() {
    let subject = Subject::new();
    let connection = subject.connection();
    let number = add(connection, Side::Answer, "x:hex\ny:text\n")
        .unwrap()
        .unwrap();
    let number = number.to_le_bytes()[0];
    let whole: &[u8] = &[number, 1, 0xab, 2, b'h', b'i'];
    let read = |bytes| read(connection, ValueRef::Blob(bytes), &beside());
    assert_eq!(read(whole).unwrap(), headers(&[("x", "ab"), ("y", "hi")]));
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end}");
    }
    for broken in [
        &[number, 1, 0xab, 2, b'h', b'i', 0][..],
        &[number, 1, 0xab, 1, 0xff],
        &[
            number, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
        &[99, 1, 0xab, 2, b'h', b'i'],
        &[0xff; 12],
    ] {
        assert!(read(broken).is_err(), "{broken:?}");
    }
}
