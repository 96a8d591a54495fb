use crate::guests::{calls_seen, load, obedient, obedient_again, obey, small};
use pintle_runtime::{CallFailure, Config, Runtime};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn an_instance_serves_one_batch_after_the_other() {
    let (runtime, guest) = load(small()).await;
    for expected in ["1", "2", "3"] {
        assert_eq!(calls_seen(&guest).await, expected);
    }
    assert_eq!(runtime.usage().instances, 1);
}

#[tokio::test]
async fn a_setting_gives_every_batch_a_fresh_instance() {
    let (_runtime, guest) = load(Config { fresh_per_batch: true, ..small() }).await;
    for _ in 0..3 {
        assert_eq!(calls_seen(&guest).await, "1");
    }
}

#[tokio::test]
async fn an_instance_is_replaced_after_its_number_of_batches() {
    let (_runtime, guest) = load(Config { recycle_batches: 4, ..small() }).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(calls_seen(&guest).await.parse::<u32>().unwrap());
    }
    let most = *seen.iter().max().unwrap();
    assert!((2..=4).contains(&most), "{seen:?}");
    assert!(seen.iter().filter(|calls| **calls == 1).count() >= 4, "{seen:?}");
}

#[tokio::test]
async fn an_instance_that_has_grown_is_replaced() {
    let (_runtime, guest) = load(Config { recycle_memory_bytes: 2 << 20, ..small() }).await;
    obey(&guest, "G").await.unwrap();
    assert_eq!(calls_seen(&guest).await, "2");
    obey(&guest, "G").await.unwrap();
    obey(&guest, "G").await.unwrap();
    assert_eq!(calls_seen(&guest).await, "1");
}

#[tokio::test]
async fn an_instance_that_has_returned_much_is_replaced() {
    let (_runtime, guest) = load(Config { recycle_output_bytes: 60, ..small() }).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(calls_seen(&guest).await);
    }
    // An answer has 25 bytes.
    assert_eq!(seen, ["1", "2", "3", "1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_few_instances() {
    let (runtime, guest) = load(Config { instances_per_component_max: 2, ..small() }).await;
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let guest = guest.clone();
            tokio::spawn(async move { calls_seen(&guest).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!((1..=2).contains(&runtime.usage().instances), "{:?}", runtime.usage());
}

#[tokio::test]
async fn a_caller_that_gets_no_instance_in_time_is_told_to_come_again() {
    let limits = Config {
        instances_per_component_max: 1,
        instance_wait_max: Duration::from_millis(50),
        run_time_max: Duration::from_secs(2),
        ..small()
    };
    let (_runtime, guest) = load(limits).await;
    let (looping, waiting) = tokio::join!(obey(&guest, "L"), obey(&guest, "?"));
    assert!(matches!(looping, Err(CallFailure::TimedOut(_))));
    let busy = waiting.unwrap_err();
    assert_eq!(busy, CallFailure::Busy);
    assert!(!busy.guilty());
}

#[tokio::test]
async fn idle_instances_make_room_for_new_ones_and_the_oldest_goes_first() {
    let runtime = Runtime::new(Config { instances_max: 2, ..small() }).unwrap();
    let mut guests = Vec::new();
    for number in 0..3 {
        guests.push(runtime.transformation_component(&obedient_again(number), &[]).await.unwrap());
    }
    for guest in &guests {
        assert_eq!(calls_seen(guest).await, "1");
        assert!(runtime.usage().instances <= 2);
    }
    assert_eq!(calls_seen(&guests[2]).await, "2");
    assert_eq!(calls_seen(&guests[1]).await, "2");
    assert_eq!(calls_seen(&guests[0]).await, "1");
}

#[tokio::test]
async fn a_new_instance_waits_for_a_busy_one_when_the_host_is_full() {
    let runtime = Runtime::new(Config { instances_max: 1, ..small() }).unwrap();
    let first = runtime.transformation_component(&obedient(), &[]).await.unwrap();
    let second = runtime.transformation_component(&obedient_again(1), &[]).await.unwrap();
    let (looping, waiting) = tokio::join!(obey(&first, "L"), calls_seen(&second));
    assert!(looping.is_err());
    assert_eq!(waiting, "1");
    // Whoever waits is told of an instance that becomes idle, too.
    let calls = (0..10).map(|_| async { tokio::join!(calls_seen(&first), calls_seen(&second)) });
    for call in calls {
        call.await;
    }
    assert_eq!(runtime.usage().instances, 1);
}

#[tokio::test]
async fn instances_that_hold_more_memory_than_the_budget_go() {
    let limits = Config { memory_budget_bytes: 8 << 20, ..small() };
    let runtime = Runtime::new(limits).unwrap();
    let mut guests = Vec::new();
    for number in 0..4 {
        let guest = runtime.transformation_component(&obedient_again(number), &[]).await.unwrap();
        for _ in 0..4 {
            obey(&guest, "G").await.unwrap();
        }
        guests.push(guest);
    }
    assert!(runtime.usage().memory_bytes <= 8 << 20, "{:?}", runtime.usage());
    assert!(runtime.usage().instances >= 1);
}

#[tokio::test]
async fn an_instance_without_work_goes_by_itself() {
    let (runtime, guest) = load(Config { idle_time_max: Duration::from_millis(20), ..small() }).await;
    calls_seen(&guest).await;
    let gone = async {
        while runtime.usage().instances > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is still there");
    assert_eq!(calls_seen(&guest).await, "1");
}

#[tokio::test]
async fn instances_go_with_the_last_user_of_their_transformation() {
    let (runtime, guest) = load(small()).await;
    calls_seen(&guest).await;
    assert_eq!(runtime.usage().instances, 1);
    assert_eq!(Arc::strong_count(&guest), 1);
    drop(guest);
    assert_eq!(runtime.usage().instances, 0);
}
