use super::*;
use http_body_util::BodyExt as _;
use pintle_runtime::destination::Method;
use std::io::Read as _;

fn described(url: &str) -> destination::Request {
    destination::Request {
        method: Method::Post,
        url: url.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        gzip: false,
    }
}

fn with_header(name: &str, value: &str) -> Result<hyper::Request<Full<Bytes>>, Malformed> {
    let mut request = described("http://a.example/");
    request.headers.push((name.to_owned(), value.to_owned()));
    build(&request)
}

async fn sent(request: &destination::Request) -> (HeaderMap, Bytes) {
    let (parts, body) = build(request).unwrap().into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes())
}

#[test]
fn only_absolute_http_urls_can_be_used() {
    for url in [
        "",
        "/path",
        "a.example",
        "ftp://a.example/",
        "http://",
        "http:///x",
        "https://?q",
        "http://a b/",
        "file:///etc/passwd",
    ] {
        assert!(matches!(build(&described(url)), Err(Malformed::Url)), "{url}");
    }
    let built = build(&described("HTTPS://a.example:8443/p?x=1#y")).unwrap();
    assert_eq!(built.uri().to_string().to_ascii_lowercase(), "https://a.example:8443/p?x=1");
    assert!(build(&described("http://[::1]:9/")).is_ok());
}

#[test]
fn credentials_in_the_url_become_a_header() {
    let built = build(&described("http://us%40er:p%3Aw@a.example/x@y")).unwrap();
    assert_eq!(built.uri(), "http://a.example/x@y");
    assert_eq!(built.headers()["authorization"], format!("Basic {}", STANDARD.encode("us@er:p:w")));
    assert!(built.headers()["authorization"].is_sensitive());
}

#[test]
fn headers_of_the_connection_are_refused() {
    for name in CONNECTION_HEADERS {
        let refused = with_header(&name.to_ascii_uppercase(), "x");
        assert!(matches!(refused, Err(Malformed::ConnectionHeader(_))), "{name}");
    }
    for (name, value) in [("a b", "x"), ("", "x"), ("x", "a\r\nhost: b"), ("x", "a\0b")] {
        assert!(matches!(with_header(name, value), Err(Malformed::Header(_))), "{name}: {value:?}");
    }
    assert_eq!(with_header("X-Name", "Jürgen").unwrap().headers()["x-name"].as_bytes(), "Jürgen".as_bytes());
}

#[test]
fn a_user_agent_is_added_unless_there_is_one() {
    let agent = concat!("Pintle/", env!("CARGO_PKG_VERSION"));
    assert_eq!(with_header("x", "y").unwrap().headers()["user-agent"], agent);
    assert_eq!(with_header("User-Agent", "mine").unwrap().headers()["user-agent"], "mine");
}

#[tokio::test]
async fn bodies_are_encoded_and_named() {
    let mut request = described("http://a.example/");
    request.body = Body::Json(Bytes::from_static(b"{\"a\":1}"));
    let (headers, body) = sent(&request).await;
    assert_eq!((headers["content-type"].as_bytes(), &body[..]), (&b"application/json"[..], &b"{\"a\":1}"[..]));

    request.headers.push(("Content-Type".to_owned(), "application/vnd.x+json".to_owned()));
    assert_eq!(sent(&request).await.0["content-type"], "application/vnd.x+json");
    request.headers.clear();

    request.body = Body::Form(vec![("a b".to_owned(), "c&d".to_owned())]);
    let (headers, body) = sent(&request).await;
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(&body[..], b"a+b=c%26d");

    request.body = Body::Xml("<a/>".to_owned());
    let (headers, body) = sent(&request).await;
    assert!(!headers.contains_key("content-type"));
    assert_eq!(&body[..], b"<a/>");
}

#[tokio::test]
async fn a_body_is_compressed_when_asked() {
    let mut request = described("http://a.example/");
    request.gzip = true;
    request.body = Body::Raw(Bytes::from(vec![b'x'; 10_000]));
    let (headers, body) = sent(&request).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(body.len() < 200);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, vec![b'x'; 10_000]);

    request.body = Body::None;
    assert!(!sent(&request).await.0.contains_key("content-encoding"), "nothing to compress");
}
