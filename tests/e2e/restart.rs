//! A stop and a start.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_events_books_dead_letters_and_the_revision() {
    let (done, later) = (Receiver::start().await, Receiver::start().await);
    later.refuse().await;
    done.answer_by(|one| Answer::status(if one.json()["userId"] == "user-3" { 400 } else { 200 }));
    let workspace = Workspace::new().webhook("done", &done.url("/")).webhook("later", &later.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &Events::new(10, 100).many(10, 50), 50).await.unwrap();
    pintle.wait_delivered("done", 450).await;
    // Their rows are written with the next cursor move.
    let before =
        pintle.wait_until("50 stored dead letters", |status| destination(status, "done")["dead_letters"] == 50).await;
    let letters = pintle.cli(&["dead-letters", "list", "--json"]).await.json();
    assert_eq!(letters["dead_letters"].as_array().unwrap().len(), 50);

    pintle.stop();
    later.accept_again();
    pintle.restart().await;

    let after = pintle.wait_delivered("later", 500).await;
    Ledger::of(&later.received()).assert_each_once_in_order("later", 10, 50);
    for field in ["delivered", "filtered", "dead_letters", "lag_events"] {
        assert_eq!(destination(&after, "done")[field], destination(&before, "done")[field], "{field}");
    }
    assert_eq!(after["catalog"]["revision"], before["catalog"]["revision"]);
    assert_eq!(pintle.cli(&["dead-letters", "list", "--json"]).await.json(), letters);
    assert_eq!(done.count(), 500, "nothing came a second time after a clean stop");
}
