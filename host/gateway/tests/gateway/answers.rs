use crate::bad_input::bad_input;
use crate::http::{Connection, Request};
use crate::stack::{KEY, Running, catalog, post, with_log};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pintle_gateway::Config;
use std::sync::Arc;

const EVENT: &str = r#"{"userId":"answers"}"#;

#[test]
fn bad_input_gets_the_right_status_and_text() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        bad_input(running.target()).await;
    });
}

#[test]
fn health_and_readiness_are_told_in_the_words_of_rudderstack() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        for path in ["/", "/health"] {
            let answer = Request::new("GET", path).send(running.address).await.unwrap();
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
            let head = r#"{"appType":"EMBEDDED","server":"UP","db":"UP","acceptingEvents":"TRUE","routingEvents":"TRUE","mode":"NORMAL","backendConfigMode":"JSON","lastSync":"2"#;
            assert!(answer.text.starts_with(head), "{}", answer.text);
            assert!(answer.text.ends_with(r#"Z","lastRegulationSync":""}"#), "{}", answer.text);
        }
        let answer = Request::new("GET", "/ready").send(running.address).await.unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (200, "ready"));
    });
}

#[test]
fn a_new_catalog_counts_from_the_next_request_on() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let ask = async |key: &str| {
            let answer = Request::post("/v1/track", EVENT).key(key).send(running.address).await.unwrap();
            (answer.status, answer.text)
        };
        assert_eq!(ask(KEY).await.0, 200);
        assert_eq!(ask("off-key").await, (404, "source is disabled\n".to_owned()));
        running.catalog.send_replace(Arc::new(catalog(false)));
        assert_eq!(ask(KEY).await, (404, "source is disabled\n".to_owned()));
        running.catalog.send_replace(Arc::default());
        assert_eq!(ask(KEY).await, (401, "invalid write key\n".to_owned()));
    });
}

#[test]
fn browsers_of_any_origin_may_send_events() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let preflight = Request::new("OPTIONS", "/v1/track")
            .header("Origin", "https://shop.example.com")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "anonymousid,authorization,content-type");
        let answer = preflight.send(running.address).await.unwrap();
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example.com"));
        for (request, status) in
            [(post("/v1/track", EVENT), 200), (post("/v1/track", "{"), 400), (Request::post("/v1/track", EVENT), 401)]
        {
            let answer = request.header("Origin", "null").send(running.address).await.unwrap();
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("access-control-allow-origin"), Some("null"));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        }
        let answer = post("/v1/track", EVENT).send(running.address).await.unwrap();
        assert_eq!(answer.header("access-control-allow-origin"), None);
    });
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mut connection = Connection::open(running.address).await.unwrap();
        for body in [EVENT, "{", EVENT, r#"{"event":"no id"}"#, EVENT] {
            let answer = connection.ask(&post("/v1/track", body)).await.unwrap();
            assert_eq!(answer.status, if body == EVENT { 200 } else { 400 });
            assert_eq!(answer.header("connection"), None);
        }
        // Several at once, and a client that ends its half of the connection behind them.
        let requests = [post("/v1/track", EVENT), post("/v1/batch", "{}"), post("/v1/page", EVENT).chunked().gzip()];
        connection.write(&requests.map(|request| request.bytes()).concat()).await.unwrap();
        connection.end().await.unwrap();
        for status in [200, 400, 200] {
            assert_eq!(connection.answer().await.unwrap().status, status);
        }
        assert_eq!(connection.ended().await.unwrap(), b"");
    });
}

#[test]
fn http_2_is_spoken_with_clients_that_begin_with_it() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let ask = async |size: usize| {
            let body = format!(r#"{{"userId":"h2","p":"{}"}}"#, "x".repeat(size));
            let request = hyper::Request::post("http://pintle/v1/track")
                .header("authorization", "Basic dGhlLXdyaXRlLWtleTo=")
                .body(Full::new(Bytes::from(body)))
                .unwrap();
            let answer = sender.clone().send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.into_body().collect().await.unwrap().to_bytes())
        };
        assert_eq!(ask(10).await, (200, Bytes::from("ok")));
        assert_eq!(ask(3_000_000).await, (200, Bytes::from("ok")));
        assert_eq!(ask(9_000_000).await, (413, Bytes::from("request size exceeds max limit\n")));
        assert_eq!(ask(10).await, (200, Bytes::from("ok")));
    });
}
