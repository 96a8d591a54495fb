use crate::http::Request;
use crate::stack::{KEY, Running, mark, post, stored, with_log};
use pintle_gateway::{Config, Verdicts};

#[test]
fn what_was_sent_is_in_the_log_byte_for_byte() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let events = [
            r#"{"userId":"stored-raw","z":1,"a":"\u00e9\/","n":1.0e+2,"a":2}"#,
            "{ \"userId\" : \"stored-raw\",\n\t\"x\":[ ] }",
            r#"{"userId":"stored-raw","big":12345678901234567890.123456789,"nul":"\u0000","half":"\ud800"}"#,
        ];
        for gzip in [false, true] {
            let mark = mark(log);
            let bodies = [
                ("/v1/track", events[0].to_owned()),
                ("/v1/batch", format!("{{\"batch\":[{} ,{}],\"sentAt\":null}}", events[1], events[2])),
            ];
            for (path, body) in bodies {
                let request = post(path, body);
                let request = if gzip { request.gzip() } else { request.chunked() };
                assert_eq!(request.send(running.address).await.unwrap().status, 200);
            }
            let raws = stored(log, &mark, "stored-raw", |event| String::from_utf8(event.raw.to_vec()).unwrap()).await;
            assert_eq!(raws, events);
        }
    });
}

#[test]
fn bytes_that_are_not_utf_8_are_stored_as_replacement_characters() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let body = b"{\"userId\":\"stored-utf8\",\"x\":\"a\xff\xe2\x82b\"}";
        assert_eq!(post("/v1/track", &body[..]).send(running.address).await.unwrap().status, 200);
        let raws = stored(log, &mark, "stored-utf8", |event| String::from_utf8(event.raw.to_vec()).unwrap()).await;
        assert_eq!(raws, ["{\"userId\":\"stored-utf8\",\"x\":\"a\u{fffd}\u{fffd}\u{fffd}b\"}"]);
    });
}

#[test]
fn an_event_is_stamped_with_its_source_time_and_address() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let before = now_ms();
        let event = r#"{"userId":" stored-stamp\u0000 ","messageId":"m-1","type":"page"}"#;
        let behind_proxies = ["127.0.0.0/8", "10.0.0.0/8"].map(|network| network.parse().unwrap()).to_vec();
        let trusting = Running::start(Config { trusted_proxies: behind_proxies, ..Config::default() }, log).await;
        for (running, forwarded) in
            [(&running, None), (&running, Some("203.0.113.9")), (&trusting, Some(" 6.6.6.6, 203.0.113.9 , 10.0.0.1"))]
        {
            let request = post("/v1/track", event);
            let request = forwarded.map_or(request.clone(), |hops| request.header("X-Forwarded-For", hops));
            assert_eq!(request.send(running.address).await.unwrap().status, 200);
        }
        let seen = stored(log, &mark, "stored-stamp", |event| {
            assert_eq!((event.source_id, event.message_id, event.event_type), ("src-1", "m-1", "track"));
            assert_eq!(event.forced_kind.map(|kind| kind.as_str()), Some("track"));
            assert!(!event.message_id_added && event.received_at_added && event.request_ip_added);
            assert!((before..=now_ms()).contains(&event.received_at_ms));
            event.request_ip.to_owned()
        });
        assert_eq!(seen.await, ["127.0.0.1", "127.0.0.1", "203.0.113.9"]);
    });
}

#[test]
fn nothing_of_a_refused_batch_is_stored() {
    with_log(async |log| {
        let all_or_nothing = Config { batch_verdicts: Verdicts::AllOrNothing, ..Config::default() };
        let running = Running::start(all_or_nothing, log).await;
        let mark = mark(log);
        let good = r#"{"userId":"stored-none","event":"refused"}"#;
        for bad in [r#"{"event":"no id"}"#, "7", "{", r#"{"a":{}"#] {
            let body = format!(r#"{{"batch":[{good},{good},{bad}]}}"#);
            assert_eq!(post("/v1/batch", body).send(running.address).await.unwrap().status, 400);
        }
        let last = r#"{"userId":"stored-none","event":"taken"}"#;
        assert_eq!(post("/v1/track", last).send(running.address).await.unwrap().status, 200);
        let raws = stored(log, &mark, "stored-none", |event| event.raw.to_vec()).await;
        assert_eq!(raws, [last.as_bytes()]);
    });
}

#[test]
fn the_events_of_one_user_keep_the_order_of_their_requests_and_batches() {
    with_log(async |log| {
        let running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let mut connection = crate::http::Connection::open(running.address).await.unwrap();
        for request in 0..40 {
            let events: Vec<String> =
                (0..7).map(|i| format!(r#"{{"userId":"stored-order","n":{}}}"#, request * 7 + i)).collect();
            let body = format!(r#"{{"batch":[{}]}}"#, events.join(","));
            let request = Request::post("/v1/batch", body).key(KEY);
            assert_eq!(connection.ask(&request).await.unwrap().status, 200);
        }
        let numbers = stored(log, &mark, "stored-order", |event| {
            serde_json::from_slice::<serde_json::Value>(event.raw).unwrap()["n"].as_u64().unwrap()
        });
        assert_eq!(numbers.await, (0..280).collect::<Vec<_>>());
    });
}

fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}
