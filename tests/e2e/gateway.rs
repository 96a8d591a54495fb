//! Bad input, and what the gateway says to it. Every function takes a running gateway; the binary that
//! holds this module has the HTTP client as `http` beside it.

use super::http::{Answer, Connection, Request, gzip};
use std::net::SocketAddr;

/// A running gateway with one enabled source.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Where it listens.
    pub gateway: SocketAddr,
    /// The source's write key.
    pub write_key: &'a str,
}

/// The default of `body-bytes-max` and `decompressed-bytes-max`.
const BODY_BYTES_MAX: usize = 4_096_000;
const EVENT: &str = r#"{"type":"track","event":"Bad Input","userId":"bad-input"}"#;

impl Target<'_> {
    fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Request {
        Request::post(path, body).key(self.write_key)
    }

    /// Sends the request and holds the answer against what Go's `http.Error` would have written.
    async fn expect(&self, what: &str, request: &Request, status: u16, text: &str) -> Answer {
        let answer = request.send(self.gateway).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        if status == 200 {
            assert_eq!((answer.status, answer.text.as_str()), (200, "ok"), "{what}");
        } else {
            assert_eq!((answer.status, answer.text.as_str()), (status, format!("{text}\n").as_str()), "{what}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
        }
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{what}");
        answer
    }
}

/// A batch with this one event.
fn batch(event: &str) -> String {
    format!(r#"{{"batch":[{event}]}}"#)
}

/// An event whose `properties` are this deep.
fn nested(depth: usize) -> String {
    format!(r#"{{"userId":"bad-input","properties":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

/// Wrong and missing keys, methods and paths.
pub async fn requests_that_are_not_for_us_are_turned_away(target: Target<'_>) {
    let no_key = "failed to read writekey from header";
    let track = || Request::post("/v1/track", EVENT);
    target.expect("no key", &track(), 401, no_key).await;
    target.expect("empty key", &track().key(""), 401, no_key).await;
    target.expect("not basic", &track().header("Authorization", "Bearer x"), 401, no_key).await;
    target.expect("not base64", &track().header("Authorization", "Basic %%%"), 401, no_key).await;
    target.expect("wrong key", &track().key("nobody's"), 401, "invalid write key").await;
    let long = "k".repeat(3_000);
    target.expect("very long key", &track().key(&long), 401, "invalid write key").await;
    target.expect("key before body", &Request::post("/v1/track", "{").key("nobody's"), 401, "invalid write key").await;
    for path in ["/v1/nothing", "/v1/track/", "/v1", "/metrics", "/admin", "/v2/batch", "/v1/batchx"] {
        target.expect(path, &target.post(path, EVENT), 404, "404 page not found").await;
    }
    for (method, path) in [("GET", "/v1/track"), ("PUT", "/v1/batch"), ("POST", "/health"), ("DELETE", "/ready")] {
        let answer = Request::new(method, path).send(target.gateway).await.unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (405, ""), "{method} {path}");
    }
}

/// Bodies that are not JSON, or not events.
pub async fn bodies_that_are_no_events_are_refused(target: Target<'_>) {
    let deep = [nested(99), nested(100), nested(200_000)];
    let objects = format!(r#"{{"userId":"a","p":{}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500));
    let event = "event is not a valid rudder event";
    let ids = "request neither has anonymousId nor userId";
    for (what, body, status, text) in [
        ("nothing", "", 400, "invalid json"),
        ("white space", "  \n", 400, "invalid json"),
        ("not JSON", "event=1&user=2", 400, "invalid json"),
        ("half an event", r#"{"userId":"a","#, 400, "invalid json"),
        ("two events", r#"{"userId":"a"}{"userId":"a"}"#, 400, "invalid json"),
        ("bare NUL", "{\"userId\":\"a\0b\"}", 400, "invalid json"),
        ("a byte order mark", "\u{feff}{\"userId\":\"a\"}", 400, "invalid json"),
        ("a number", "17", 400, event),
        ("null", "null", 400, event),
        ("an array", r#"[{"userId":"a"}]"#, 400, event),
        ("no ids", r#"{"event":"x"}"#, 400, ids),
        ("empty ids", r#"{"userId":"","anonymousId":"  "}"#, 400, ids),
        ("an id of NULs", r#"{"userId":"\u0000\u0000"}"#, 400, ids),
        ("invisible ids", r#"{"userId":"\u200b","anonymousId":"\ufeff"}"#, 400, ids),
        ("ids of other types", r#"{"userId":{"a":1},"anonymousId":[true]}"#, 400, ids),
        ("repeated ids, the last is empty", r#"{"userId":"a","userId":""}"#, 400, ids),
        ("nested to the limit", deep[0].as_str(), 200, "ok"),
        ("nested one deeper", deep[1].as_str(), 400, "invalid json"),
        ("nested very deeply", deep[2].as_str(), 400, "invalid json"),
        ("objects nested deeply", objects.as_str(), 400, "invalid json"),
    ] {
        target.expect(what, &target.post("/v1/track", body), status, text).await;
        if !body.trim().is_empty() {
            target.expect(what, &target.post("/v1/batch", batch(body)), status, text).await;
        }
    }
    for body in ["{}", r#"{"batch":[]}"#, r#"{"batch":null}"#, r#"{"batch":{}}"#, "[]", "1", EVENT] {
        target.expect(body, &target.post("/v1/batch", body), 400, "empty batch payload").await;
    }
    let one_bad = format!(r#"{{"batch":[{EVENT},{{"event":"no id"}},7,{EVENT}]}}"#);
    let answer = target.expect("bad events among good ones", &target.post("/v1/batch", one_bad), 200, "ok").await;
    assert_eq!(answer.header("x-pintle-rejected"), Some("2"));
    let all_bad = r#"{"batch":[{"event":"no id"},7]}"#;
    target.expect("bad events alone", &target.post("/v1/batch", all_bad), 400, ids).await;
}

/// Bodies that look wrong and are not.
pub async fn unusual_events_are_accepted(target: Target<'_>) {
    let huge = "9".repeat(5_000);
    for (what, body) in [
        ("huge numbers", format!(r#"{{"userId":{huge},"v":1e{huge},"w":-0.{huge}}}"#)),
        ("repeated names", r#"{"userId":1,"userId":"b","a":1,"a":{}}"#.to_owned()),
        ("an escaped NUL", r#"{"userId":"a\u0000b","event":"\u0000"}"#.to_owned()),
        ("half a surrogate pair", r#"{"userId":"a\ud800","event":"\udfff"}"#.to_owned()),
        ("white space", " \r\n\t{ \"userId\" : \"a\" } \n".to_owned()),
        ("an unknown type", r#"{"userId":"a","type":"something"}"#.to_owned()),
    ] {
        target.expect(what, &target.post("/v1/track", body.clone()), 200, "ok").await;
        target.expect(what, &target.post("/v1/batch", batch(&body)), 200, "ok").await;
        target.expect(what, &target.post("/v1/track", body).gzip(), 200, "ok").await;
    }
    for bytes in [&b"{\"userId\":\"\xff\xfe\"}"[..], b"{\"userId\":\"a\",\"\xc3\":\"\xed\xa0\x80\"}"] {
        target.expect("invalid UTF-8", &target.post("/v1/track", bytes), 200, "ok").await;
    }
    let outside = target.post("/v1/track", &b"{\"userId\":\"a\"}\xff"[..]);
    target.expect("invalid UTF-8 outside of strings", &outside, 400, "invalid json").await;
    let as_form = target.post("/v1/track", EVENT).header("Content-Type", "application/x-www-form-urlencoded");
    target.expect("another content type", &as_form, 200, "ok").await;
    for kind in ["identify", "track", "page", "screen", "group", "alias", "merge"] {
        target.expect(kind, &target.post(&format!("/v1/{kind}?x=1"), EVENT), 200, "ok").await;
    }
}

/// Compressed bodies that lie or explode.
pub async fn compressed_bodies_are_bounded_and_checked(target: Target<'_>) {
    let unreadable = "failed to read body from request";
    let gzipped = |body: Vec<u8>| target.post("/v1/track", body).header("Content-Encoding", "gzip");
    let whole = gzip(EVENT.as_bytes());
    for cut in [1, 5, 10, whole.len() / 2, whole.len() - 1] {
        target.expect("cut off gzip", &gzipped(whole[..cut].to_vec()), 500, unreadable).await;
    }
    target.expect("not gzip", &gzipped(EVENT.into()), 500, unreadable).await;
    target.expect("garbage behind gzip", &gzipped([&whole[..], b"xyz"].concat()), 500, unreadable).await;
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 0x40;
    target.expect("wrong checksum", &gzipped(wrong_sum), 500, unreadable).await;
    target.expect("no bytes at all", &gzipped(Vec::new()), 400, "invalid json").await;

    let bomb = gzip(&vec![b' '; 1 << 30]);
    assert!(bomb.len() < BODY_BYTES_MAX, "the bomb is small on the wire");
    let answer = target.expect("bomb", &gzipped(bomb), 413, "request size exceeds max limit").await;
    assert_eq!(answer.header("x-pintle-limit"), Some("decompressed-bytes-max"));
    let bomb_of_bombs = gzip(&gzip(&vec![b'a'; 100 << 20]));
    target.expect("compressed twice", &gzipped(bomb_of_bombs), 400, "invalid json").await;
}

/// Bodies up to the limit, and beyond it.
pub async fn bodies_beyond_the_limit_are_refused_and_the_client_sees_it(target: Target<'_>) {
    let padded = |size: usize| {
        let frame = r#"{"userId":"bad-input","p":""}"#;
        format!(r#"{{"userId":"bad-input","p":"{}"}}"#, "x".repeat(size - frame.len()))
    };
    let too_large = "request size exceeds max limit";
    for chunked in [false, true] {
        let post = |size| {
            let request = target.post("/v1/track", padded(size));
            if chunked { request.chunked() } else { request }
        };
        target.expect("at the limit", &post(BODY_BYTES_MAX), 200, "ok").await;
        target.expect("one byte more", &post(BODY_BYTES_MAX + 1), 413, too_large).await;
        let answer = target.expect("100 MB", &post(100_000_000), 413, too_large).await;
        assert_eq!(answer.header("x-pintle-limit"), Some("body-bytes-max"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    let unauthorised = Request::post("/v1/track", padded(20_000_000)).key("nobody's");
    target.expect("20 MB without a key", &unauthorised, 401, "invalid write key").await;

    // The length alone is enough: nothing of the body has been sent.
    let claims = target.post("/v1/track", "").claim_length(1 << 40);
    let mut connection = Connection::open(target.gateway).await.unwrap();
    connection.write(&claims.head_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status, 413);
}

/// A client that asks before it sends.
pub async fn a_client_that_waits_for_permission_is_answered_before_it_sends(target: Target<'_>) {
    let ask = |length: usize| target.post("/v1/track", "").header("Expect", "100-continue").claim_length(length as u64);
    let mut connection = Connection::open(target.gateway).await.unwrap();
    connection.write(&ask(EVENT.len()).head_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status, 100);
    connection.write(EVENT.as_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status, 200);

    let mut connection = Connection::open(target.gateway).await.unwrap();
    connection.write(&ask(100_000_000).head_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status, 413);
    assert_eq!(connection.ended().await.unwrap(), b"");
}

/// Things that are not HTTP.
pub async fn what_is_not_http_hurts_nobody(target: Target<'_>) {
    let long_header = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    let many_headers = format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    let both = "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}";
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        long_header.as_bytes(),
        many_headers.as_bytes(),
        both.as_bytes(),
    ] {
        let mut connection = Connection::open(target.gateway).await.unwrap();
        _ = connection.write(bytes).await;
        _ = connection.end().await;
        // Closing without a word is as good.
        if let Ok(answer) = connection.answer().await {
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }
    target.expect("an event afterwards", &target.post("/v1/track", EVENT), 200, "ok").await;
}

/// All of the above, one after the other.
pub async fn bad_input(target: Target<'_>) {
    requests_that_are_not_for_us_are_turned_away(target).await;
    bodies_that_are_no_events_are_refused(target).await;
    unusual_events_are_accepted(target).await;
    compressed_bodies_are_bounded_and_checked(target).await;
    bodies_beyond_the_limit_are_refused_and_the_client_sees_it(target).await;
    a_client_that_waits_for_permission_is_answered_before_it_sends(target).await;
    what_is_not_http_hurts_nobody(target).await;
}
