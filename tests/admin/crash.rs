//! A crash in the middle of a publication.

use crate::setup::{connected, mark, publish, push, revision};
use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_was_cut_short_is_whole_or_not_there_and_can_be_repeated() {
    let receiver = Receiver::start().await;
    let mut pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "t", &mark("v", "1")).await;
    connected(&pintle, &receiver, &["t"]).await;
    let mut expected = 1;
    // The point, and whether what was cut short counts afterwards.
    for (point, lands) in
        [("catalog:after-artifact=1", false), ("catalog:before-commit=2", false), ("catalog:after-commit=2", true)]
    {
        let code = mark("v", &(expected + 1).to_string());
        pintle.stop();
        pintle.restart_armed(point).await;
        let before = revision(&pintle).await;
        // A push passes the artifact's point first, then makes the first revision; the publication the second.
        let path = "/admin/v1/transformations/t";
        let pushed = pintle.ask("PUT", &format!("{path}/draft"), &[], code.as_bytes()).await;
        if point.ends_with("=2") {
            assert_eq!(pushed.unwrap().status, 200);
            assert!(pintle.ask("POST", &format!("{path}/publish"), &[], b"").await.is_err(), "it answered: {point}");
        } else {
            assert!(pushed.is_err(), "it answered: {point}");
        }
        pintle.die().await;
        pintle.restart().await;

        let live = pintle.make("GET", path, &Value::Null).await;
        let now = if lands { expected + 1 } else { expected };
        assert_eq!(live["live"]["number"], now, "{point}: {live:#}");
        let made = revision(&pintle).await - before;
        assert!((0..=2).contains(&made), "{point}: {made} revisions");
        let (status, _) = push(&pintle, "t", &code).await;
        assert_eq!(status, 200, "{point}");
        let again = publish(&pintle, "t", &code).await;
        expected += 1;
        assert_eq!(
            (&again["version"]["number"], &again["changed"]),
            (&expected.into(), &(!lands).into()),
            "{point}: {again:#}"
        );
    }
    post(pintle.gateway(), &Events::new(3, 0).many(2, 5), 5).await.unwrap();
    pintle.wait_delivered("orders", 10).await;
    let last = expected.to_string();
    assert!(receiver.received().iter().all(|one| one.json()["properties"]["v"] == last));
}
