//! Everything that clients of RudderStack and Segment ask for.

use crate::http::{Request, gzip};
use crate::stack::{KEY, Running, mark, post, sink, stored, with_log};
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use pintle_catalog::{Catalog, Source};
use pintle_gateway::Config;
use pintle_store::rejected::{self, Filter};
use serde_json::Value;
use std::io::Write as _;
use std::sync::Arc;

#[test]
fn every_path_of_either_api_takes_its_events() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let aliases = [
            ("identify", "i"),
            ("track", "t"),
            ("page", "p"),
            ("screen", "s"),
            ("group", "g"),
            ("alias", "a"),
            ("merge", "m"),
        ];
        for (path, alias) in aliases {
            for path in [path, alias] {
                let answer = post(&format!("/v1/{path}"), r#"{"userId":"paths"}"#).send(running.address).await.unwrap();
                assert_eq!((answer.status, answer.text.as_str()), (200, "ok"), "{path}");
            }
        }
        for path in ["/v1/batch", "/v1/b", "/v1/import"] {
            let body = r#"{"batch":[{"userId":"paths","type":"track"}]}"#;
            assert_eq!(post(path, body).send(running.address).await.unwrap().status, 200, "{path}");
        }
        let empty = post("/v1/import", r#"{"batch":[]}"#).send(running.address).await.unwrap();
        assert_eq!((empty.status, empty.text.as_str()), (200, "ok"), "an import may be empty");
        let telemetry =
            Request::post("/v1/m", r#"{"series":[{"type":"Counter"}]}"#).send(running.address).await.unwrap();
        assert_eq!(telemetry.status, 200, "what Segment's SDK says of itself is nobody's event");
        let types = stored(log, &mark, "paths", |event| event.event_type.to_owned()).await;
        let mut wanted: Vec<&str> = aliases.iter().flat_map(|(kind, _)| [*kind, *kind]).collect();
        wanted.extend(["track"; 3]);
        assert_eq!(types, wanted);
    });
}

#[test]
fn the_write_key_may_stand_where_a_client_can_put_it() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let event = r#"{"userId":"places"}"#;
        let batch = r#"{"batch":[{"userId":"places"}]}"#;
        let with_key = format!(r#"{{"writeKey":"{KEY}","batch":[{{"userId":"places"}}]}}"#);
        for request in [
            Request::post(&format!("/v1/track?writeKey={KEY}"), event),
            Request::post("/v1/batch", with_key.clone()),
            Request::post("/v1/batch", with_key).gzip(),
            Request::post("/v1/track", format!(r#"{{"userId":"places","writeKey":"{KEY}"}}"#)),
            Request::post(&format!("/beacon/v1/batch?writeKey={KEY}"), batch).header("Content-Type", "text/plain"),
        ] {
            let answer = request.send(running.address).await.unwrap();
            assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
        }
        for (path, text) in [
            ("/beacon/v1/batch", "failed to read writekey from query params\n"),
            ("/beacon/v1/batch?writeKey=nobody", "invalid write key\n"),
            ("/v1/batch", "failed to read writekey from header\n"),
        ] {
            let answer = Request::post(path, batch).send(running.address).await.unwrap();
            assert_eq!((answer.status, answer.text.as_str()), (401, text), "{path}");
        }
    });
}

#[test]
fn a_pixel_is_an_event_and_always_a_picture() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        for query in [
            format!("writeKey={KEY}&anonymousId=pixel&userId=pixel&event=Opened&properties.mail=a%40b"),
            "writeKey=nobody".to_owned(),
            String::new(),
        ] {
            let answer = Request::new("GET", &format!("/pixel/v1/track?{query}")).send(running.address).await.unwrap();
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")), "{query}");
            assert!(answer.text.starts_with("GIF89a"));
        }
        let page = format!("/pixel/v1/page?writeKey={KEY}&userId=pixel");
        assert_eq!(Request::new("GET", &page).send(running.address).await.unwrap().status, 200);
        let events = stored(log, &mark, "pixel", |event| serde_json::from_slice::<Value>(event.raw).unwrap()).await;
        assert_eq!(events.len(), 2);
        assert_eq!((&events[0]["type"], &events[0]["properties"]["mail"]), (&"track".into(), &"a@b".into()));
        assert_eq!(events[1]["name"], "Unknown Page");
    });
}

#[test]
fn clients_learn_what_they_ask_before_they_send() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let get = async |path: &str| {
            let request = Request::new("GET", path).header("Origin", "https://shop.example.com");
            request.send(running.address).await.unwrap()
        };
        for path in ["/sourceConfig", "/sourceConfig/"] {
            let answer = get(&format!("{path}?p=npm&writeKey={KEY}&lockPluginsVersion=true")).await;
            let document: Value = serde_json::from_str(&answer.text).unwrap();
            assert_eq!((&document["source"]["id"], &document["source"]["writeKey"]), (&"src-1".into(), &KEY.into()));
            assert_eq!(document["source"]["destinations"], Value::Array(Vec::new()));
            assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example.com"));
        }
        let by_header = Request::new("GET", "/sourceConfig").key(KEY).send(running.address).await.unwrap();
        assert_eq!(by_header.status, 200);
        assert_eq!(get("/sourceConfig?writeKey=nobody").await.status, 401);
        let answer = get(&format!("/v1/projects/{KEY}/settings")).await;
        let settings: Value = serde_json::from_str(&answer.text).unwrap();
        let here = &settings["integrations"]["Segment.io"];
        assert!(here["apiHost"].as_str().unwrap().ends_with("/v1"), "{settings:#}");
        assert_eq!((&here["apiKey"], &here["protocol"]), (&KEY.into(), &"http".into()));
        assert_eq!(get("/v1/projects/nobody/settings").await.status, 401);
        assert_eq!(get("/v1/projects//settings").await.status, 404);
        let version: Value = serde_json::from_str(&get("/version").await.text).unwrap();
        assert_eq!(version["Version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(get("/robots.txt").await.text, "User-agent: * \nDisallow: / \n");
    });
}

#[test]
fn every_encoding_of_a_body_is_read_bounded_and_checked() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let event = format!(r#"{{"userId":"encodings","p":"{}"}}"#, "abc".repeat(50_000));
        let zlib = |bytes: &[u8]| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let bare = |bytes: &[u8]| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap();
        let bomb = vec![b' '; 64 << 20];
        let send = async |encoding: &str, body: Vec<u8>, chunked: bool| {
            let request = post("/v1/track", body).header("Content-Encoding", encoding);
            let request = if chunked { request.chunked() } else { request };
            request.send(running.address).await.unwrap().status
        };
        type Encoder<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
        let encodings: [(&str, Encoder<'_>); 5] =
            [("gzip", &gzip), ("x-gzip", &gzip), ("deflate", &zlib), ("Deflate", &bare), ("zstd", &zstd)];
        for (name, encoded) in encodings {
            let whole = encoded(event.as_bytes());
            assert_eq!(send(name, whole.clone(), false).await, 200, "{name}");
            assert_eq!(send(name, whole.clone(), true).await, 200, "{name}");
            for cut in [1, whole.len() / 2, whole.len() - 1] {
                assert_eq!(send(name, whole[..cut].to_vec(), false).await, 500, "{name} cut at {cut}");
            }
            assert_eq!(send(name, encoded(&bomb), false).await, 413, "{name}");
            assert_eq!(send(name, [&whole[..], b"\xff\xff"].concat(), false).await, 500, "{name} and more");
        }
        let frames = [zstd(br#"{"userId":"#), zstd(br#""encodings"}"#)].concat();
        assert_eq!(send("zstd", frames, false).await, 200, "frames one behind the other");
    });
}

#[test]
fn a_bad_event_is_recorded_and_its_neighbours_are_taken() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let body = r#"{"batch":[{"userId":"verdicts","n":1},{"messageId":"verdicts-bad","type":"track"},"text",
            {"userId":"verdicts","n":2}]}"#;
        let answer = post("/v1/batch", body).send(running.address).await.unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
        assert_eq!(answer.header("x-pintle-rejected"), Some("2"));
        let numbers = stored(log, &mark, "verdicts", |event| {
            serde_json::from_slice::<Value>(event.raw).unwrap()["n"].as_u64().unwrap()
        });
        assert_eq!(numbers.await, [1, 2]);
        // Written before the answer: nothing has to be waited for.
        let filter = Filter { source: Some("src-1".to_owned()), limit: 500, ..Filter::default() };
        let records = rejected::list(log.store(), &filter).await.unwrap();
        let bad = records.iter().find(|record| record.event.message_id == "verdicts-bad").unwrap();
        assert_eq!((bad.event.reason.as_str(), bad.event.event_type.as_str()), ("no-ids", "track"));
        assert_eq!(bad.event.excerpt, br#"{"messageId":"verdicts-bad","type":"track"}"#);
        assert!(
            records.iter().any(|record| record.event.excerpt == br#""text""# && record.event.reason == "not-an-event")
        );
    });
}

#[test]
fn a_source_that_sends_too_much_is_told_when_to_come_again() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let limited = |events_per_second_max| {
            let source = Source { write_key: KEY.to_owned(), events_per_second_max, ..Source::default() };
            let sources = [("src-limited".to_owned(), source)].into();
            Arc::new(Catalog { sources, ..Catalog::default() })
        };
        running.catalog.send_replace(limited(std::num::NonZeroU32::new(1)));
        let event = r#"{"userId":"limited"}"#;
        let batch = format!(r#"{{"batch":[{}]}}"#, [event; 50].join(","));
        assert_eq!(post("/v1/batch", batch).send(running.address).await.unwrap().status, 200);
        let refused = post("/v1/track", event).send(running.address).await.unwrap();
        assert_eq!((refused.status, refused.text.as_str()), (429, "max requests limit reached\n"));
        let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((10..=49).contains(&after), "{after}");
        assert_eq!(refused.header("x-pintle-limit"), Some("events-per-second-max"));
        running.catalog.send_replace(limited(None));
        assert_eq!(post("/v1/track", event).send(running.address).await.unwrap().status, 200);
    });
}

#[test]
fn addresses_lose_their_last_part_where_the_source_says_so() {
    with_log(async |log| {
        let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        let running = Running::start(Config { trusted_proxies, ..Config::default() }, log).await;
        let source = Source { write_key: KEY.to_owned(), anonymize_ip: true, ..Source::default() };
        let sources = [("src-anonymous".to_owned(), source)].into();
        running.catalog.send_replace(Arc::new(Catalog { sources, ..Catalog::default() }));
        let mark = mark(log);
        for address in ["203.0.113.77", "2001:db8:1:2:3:4:5:6"] {
            let request = post("/v1/track", r#"{"userId":"anonymous"}"#).header("X-Forwarded-For", address);
            assert_eq!(request.send(running.address).await.unwrap().status, 200);
        }
        let seen = stored(log, &mark, "anonymous", |event| event.request_ip.to_owned()).await;
        assert_eq!(seen, ["203.0.113.0", "2001:db8:1::"]);
    });
}

#[test]
fn events_of_suppressed_users_are_not_stored() {
    with_log(async |log| {
        let sink = sink(log);
        let suppressions = sink.suppressions.clone();
        let running = Running::over(Config::default(), sink, None).await;
        let mark = mark(log);
        let event = r#"{"userId":" suppressed\u200b ","type":"track"}"#;
        let send = async |body: String| post("/v1/batch", body).send(running.address).await.unwrap().status;
        assert_eq!(send(format!(r#"{{"batch":[{event}]}}"#)).await, 200);
        assert!(suppressions.add(log.store(), "suppressed", "test", "asked for").await.unwrap());
        assert!(!suppressions.add(log.store(), "suppressed", "test", "again").await.unwrap());
        assert_eq!(send(format!(r#"{{"batch":[{event},{{"userId":"neighbour"}}]}}"#)).await, 200);
        assert_eq!(send(format!(r#"{{"batch":[{event}]}}"#)).await, 200, "alone, too");
        assert!(suppressions.remove(log.store(), "suppressed").await.unwrap());
        assert_eq!(send(format!(r#"{{"batch":[{event}]}}"#)).await, 200);
        assert_eq!(stored(log, &mark, "suppressed", |_| ()).await.len(), 2);
        assert_eq!(stored(log, &mark, "neighbour", |_| ()).await.len(), 1);
    });
}
