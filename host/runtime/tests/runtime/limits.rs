use crate::guests::{calls_seen, load, obey, small};
use pintle_runtime::{CallFailure, Config};
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_infinite_loop_is_stopped() {
    let (_runtime, guest) = load(small()).await;
    let from = Instant::now();
    assert_eq!(obey(&guest, "L").await.unwrap_err(), CallFailure::TimedOut(Duration::from_millis(200)));
    assert!(from.elapsed() < Duration::from_secs(10), "{:?}", from.elapsed());
}

#[tokio::test]
async fn a_running_guest_lets_others_of_its_thread_run() {
    let (_runtime, guest) = load(Config { run_time_max: Duration::from_secs(2), ..small() }).await;
    // One thread: the second call can only end first if the first one lets go.
    let first = async { (obey(&guest, "L").await.unwrap_err(), Instant::now()) };
    let second = async { (obey(&guest, "?").await.unwrap(), Instant::now()) };
    let ((_, looped), (_, answered)) = tokio::join!(first, second);
    assert!(answered < looped);
}

#[tokio::test]
async fn a_guest_that_wants_too_much_memory_is_out_of_memory() {
    let (_runtime, guest) = load(small()).await;
    assert_eq!(obey(&guest, "M").await.unwrap_err(), CallFailure::OutOfMemory);
}

#[tokio::test]
async fn endless_recursion_ends() {
    let (_runtime, guest) = load(small()).await;
    assert_eq!(obey(&guest, "R").await.unwrap_err(), CallFailure::Trapped("its stack overflowed".to_owned()));
}

#[tokio::test]
async fn a_huge_answer_is_not_even_copied() {
    let (_runtime, guest) = load(small()).await;
    assert_eq!(obey(&guest, "H").await.unwrap_err(), CallFailure::OutputTooLarge { max: 64 << 10 });
}

#[tokio::test]
async fn an_answer_outside_of_the_guests_memory_is_refused() {
    let (_runtime, guest) = load(small()).await;
    let failure = obey(&guest, "O").await.unwrap_err();
    assert!(matches!(failure, CallFailure::BadOutput(_)), "{failure:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_refused() {
    let (_runtime, guest) = load(small()).await;
    let failure = obey(&guest, "J").await.unwrap_err();
    assert!(failure.to_string().contains("not a JSON array"), "{failure}");
}

#[tokio::test]
async fn a_refused_batch_is_refused_in_the_guests_words_and_the_instance_lives() {
    let (_runtime, guest) = load(small()).await;
    assert_eq!(obey(&guest, "E").await.unwrap_err(), CallFailure::Refused("I will not".to_owned()));
    assert_eq!(calls_seen(&guest).await, "2");
}

#[tokio::test]
async fn after_every_kind_of_failure_the_next_batch_meets_a_fresh_instance() {
    let (runtime, guest) = load(small()).await;
    for order in ["T", "L", "M", "R", "H", "O"] {
        assert_eq!(calls_seen(&guest).await, "1", "before {order}");
        obey(&guest, order).await.unwrap_err();
        assert_eq!(runtime.usage().instances, 0, "after {order}");
        assert_eq!(runtime.usage().memory_bytes, 0, "after {order}");
    }
    assert_eq!(calls_seen(&guest).await, "1");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_takes_its_instance_with_it() {
    let (runtime, guest) = load(Config { run_time_max: Duration::from_secs(20), ..small() }).await;
    {
        let mut call = std::pin::pin!(obey(&guest, "L"));
        let soon = tokio::time::timeout(Duration::from_millis(100), call.as_mut()).await;
        assert!(soon.is_err());
    }
    assert_eq!(runtime.usage().instances, 0);
    assert_eq!(calls_seen(&guest).await, "1");
}

#[tokio::test]
async fn a_call_that_takes_too_long_in_all_is_stopped() {
    let limits =
        Config { run_time_max: Duration::from_millis(300), call_time_max: Duration::from_millis(300), ..small() };
    let (_runtime, guest) = load(limits).await;
    assert_eq!(obey(&guest, "L").await.unwrap_err(), CallFailure::TimedOut(Duration::from_millis(300)));
}
