//! The alerting rules that ship with Pintle, and what monitors ask.

use pintle_tests::events::{Events, post};
use pintle_tests::folder::project_dir;
use pintle_tests::http::Request;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use std::collections::BTreeSet;
use std::process::Command;

/// The names of our metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("pintle_")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alerting_rules_are_sound_and_every_metric_in_them_is_there() {
    let file = project_dir().join("scripts/alerts.yaml");
    let promtool = std::env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let checked = Command::new(&promtool).args(["check", "rules"]).arg(&file).output();
    let checked = checked.unwrap_or_else(|error| panic!("{promtool:?}: {error}; scripts/test gets it"));
    assert!(checked.status.success(), "{checked:?}");

    let receiver = Receiver::start().await;
    receiver.always(Answer::status(422));
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    // One that is refused over there, its copy, which ends on the way, and one that is refused here.
    let event = Events::new(61, 0).track("ann", 0);
    post(pintle.gateway(), &[event.clone(), event], 1).await.unwrap();
    let bad = Request::post("/v1/track", "{}").key(WRITE_KEY).send(pintle.gateway()).await.unwrap();
    assert_eq!(bad.status, 400);
    pintle.wait_until("a dead letter", |status| destination(status, "orders")["dead_letters"] == 1).await;
    pintle.wait_until("the copy", |status| destination(status, "orders")["filtered"] == 1).await;
    let text = pintle.metrics().await;
    let there = metrics_in(&text);
    let rules = std::fs::read_to_string(file).unwrap();
    let expressions: String = rules.lines().filter(|line| line.trim_start().starts_with("expr:")).collect();
    let wanted = metrics_in(&expressions);
    assert!(wanted.len() > 10, "{wanted:?}");
    // A rate over time can tell of it only once it has happened: how filling up looks is shown elsewhere.
    let late = BTreeSet::from(["pintle_log_hours_left"]);
    let missing: Vec<_> = wanted.iter().filter(|name| !there.contains(*name) && !late.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in {there:?}");
    for line in ["pintle_destination_dead_letters{destination=\"orders\"} 1", "pintle_log_accepting 1"] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_hears_of_what_is_not_as_it_should_be() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let well = pintle.cli(&["status", "--check"]).await;
    assert_eq!((well.code, well.out.as_str()), (0, ""), "{well:?}");

    receiver.refuse().await;
    post(pintle.gateway(), &[Events::new(62, 0).track("ann", 0)], 1).await.unwrap();
    pintle.wait_until("an open breaker", |status| destination(status, "orders")["breaker"] == "open").await;
    let ill = pintle.cli(&["status", "--check"]).await;
    assert!(ill.code == 2 && ill.out.contains("orders") && ill.out.contains("breaker"), "{ill:?}");
    let metrics = pintle.metrics().await;
    assert!(metrics.contains("pintle_destination_breaker_open{destination=\"orders\"} 1"), "{metrics}");
    pintle.write_workspace("sources: [");
    pintle.wait_until("the file to be refused", |status| status["catalog"]["last_error"].is_string()).await;
    let ill = pintle.cli(&["status", "--check", "--unsettled-max", "0", "--json"]).await;
    let said = ill.json()["complaints"].to_string();
    assert!(ill.code == 2 && said.contains("workspace file") && said.contains("unsettled"), "{ill:?}");

    pintle.write_workspace(&workspace.text());
    receiver.accept_again();
    pintle.wait_delivered("orders", 1).await;
    pintle.wait_until("the file to be fine", |status| status["catalog"]["last_error"].is_null()).await;
    let well = pintle.cli(&["status", "--check"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    assert_eq!(pintle.cli(&["status", "--unsettled-max", "1"]).await.code, 64);
}
