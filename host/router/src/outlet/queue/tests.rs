use super::*;
use std::time::Duration;

fn queue(items: &[(u64, &'static str)]) -> Keys<(u64, &'static str)> {
    let mut keys = Keys::new();
    items.iter().for_each(|item| keys.push(item.0, *item));
    keys
}

#[test]
fn one_item_of_a_key_is_out_at_a_time_and_in_the_order_of_push() {
    let mut keys = queue(&[(1, "a"), (1, "b"), (2, "c"), (1, "d")]);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "a")));
    assert_eq!(keys.take(Prefer::Tried), Some((2, "c")));
    assert_eq!(keys.take(Prefer::Tried), None);
    keys.finish(1);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "b")));
    assert_eq!(keys.take(Prefer::Tried), None);
    keys.again(1, (1, "b"));
    assert_eq!(keys.take(Prefer::Tried), Some((1, "b")), "what failed keeps its place");
    keys.finish(1);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "d")));
    keys.finish(1);
    keys.finish(2);
    assert!(keys.is_empty());
}

#[test]
fn a_waiting_head_is_ready_when_it_is_due_and_not_before() {
    let now = Instant::now();
    let later = now + Duration::from_secs(5);
    let mut keys = queue(&[(1, "a"), (1, "b")]);
    let item = keys.take(Prefer::Tried).unwrap();
    keys.wait(1, item, later);
    keys.wake(now);
    assert_eq!(keys.take(Prefer::Tried), None);
    assert_eq!(keys.next_due(), Some(later));
    keys.wake(later);
    assert_eq!(keys.next_due(), None);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "a")));
}

#[test]
fn what_has_failed_goes_first_unless_a_fresh_opinion_is_wanted() {
    let mut keys = queue(&[(1, "a"), (2, "b"), (3, "c")]);
    let item = keys.take(Prefer::Tried).unwrap();
    keys.again(1, item);
    assert!(keys.has_untried());
    assert_eq!(keys.take(Prefer::Untried), Some((2, "b")));
    assert_eq!(keys.take(Prefer::Tried), Some((1, "a")));
    assert_eq!(keys.take(Prefer::Tried), Some((3, "c")));
    assert!(!keys.has_ready());
}

#[test]
fn items_behind_a_head_can_be_taken_and_put_back() {
    let mut keys = queue(&[(1, "a"), (1, "b"), (1, "c"), (2, "d")]);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "a")));
    assert_eq!(keys.take(Prefer::Tried), Some((2, "d")));
    let mut behind = keys.take_behind(1);
    behind.iter_mut().for_each(|item| item.1 = "x");
    keys.put_behind(1, behind);
    assert_eq!(keys.pop_last(1), Some(((1, "x"), Some(&(1, "x")))));
    keys.push(1, (1, "y"));
    keys.finish(1);
    keys.finish(2);
    assert_eq!(keys.take(Prefer::Tried), Some((1, "x")));
    assert_eq!(keys.pop_last(9), None);
    assert!(keys.take_behind(9).is_empty());
}

#[test]
fn a_head_restored_as_waiting_keeps_what_follows_behind_it() {
    let now = Instant::now();
    let mut keys = Keys::new();
    keys.push_waiting(1, "a", now);
    keys.push_waiting(1, "b", now);
    keys.push(1, "c");
    assert_eq!(keys.take(Prefer::Tried), None);
    keys.wake(now);
    let mut order = Vec::new();
    while let Some(item) = keys.take(Prefer::Tried) {
        order.push(item);
        keys.finish(1);
    }
    assert_eq!(order, ["a", "b", "c"]);
}

#[test]
fn company_is_taken_from_all_ready_heads_and_what_does_not_fit_keeps_its_place() {
    let mut keys = queue(&[(1, "a"), (2, "b"), (3, "c"), (1, "d"), (4, "e"), (5, "f")]);
    let failed = keys.take(Prefer::Tried).unwrap();
    keys.again(1, failed);
    let mut taken = Vec::new();
    keys.take_more(&mut taken, |item| match item.1 {
        "b" => Fit::Leave,
        "e" => Fit::Stop,
        _ => Fit::Take,
    });
    assert_eq!(taken, [(1, "a"), (3, "c")], "what has failed first");
    assert_eq!(keys.take(Prefer::Tried), Some((2, "b")));
    assert_eq!(keys.take(Prefer::Tried), Some((4, "e")));
    assert_eq!(keys.take(Prefer::Tried), Some((5, "f")));
    assert_eq!(keys.take(Prefer::Tried), None, "d waits behind a");
}

#[test]
fn followers_go_along_in_order_and_come_back_before_what_waits() {
    let mut keys = queue(&[(1, "a"), (1, "b"), (1, "c"), (1, "d"), (2, "e")]);
    let mut taken = vec![keys.take(Prefer::Tried).unwrap()];
    let up_to_c = |item: &(u64, &str)| if item.1 == "d" { Fit::Leave } else { Fit::Take };
    assert!(keys.take_followers(1, &mut taken, up_to_c));
    assert_eq!(taken, [(1, "a"), (1, "b"), (1, "c")]);
    assert!(!keys.take_followers(1, &mut taken, |_| Fit::Stop));
    // The first has met its end, the others come again.
    keys.return_followers(1, vec![(1, "c")]);
    keys.return_head(1, (1, "b"), true);
    let mut order = Vec::new();
    while let Some(item) = keys.take(Prefer::Tried) {
        keys.finish(item.0);
        order.push(item.1);
    }
    assert_eq!(order, ["b", "e", "c", "d"], "what came back goes before the others that are ready");
}
