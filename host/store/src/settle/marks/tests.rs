use super::{BegunBefore, LaneMarks};
use crate::log::Groups;

#[test]
fn a_cursor_stands_before_the_first_event_that_is_not_settled() {
    let mut marks = LaneMarks::restore(1, 0, &[]);
    assert_eq!(marks.begin(1, Groups::untold(3)).unwrap(), [false; 3]);
    assert_eq!(marks.begin(2, Groups::untold(2)).unwrap(), [false; 2]);
    assert!(marks.settle(1, 0).is_some() && marks.settle(1, 2).is_some() && marks.settle(2, 1).is_some());
    assert_eq!(marks.cursor(), (1, 1, vec![0b1010]));
    assert!(marks.settle(1, 1).is_some());
    assert_eq!(marks.cursor(), (2, 0, vec![0b10]));
    assert!(marks.settle(2, 0).is_some());
    assert_eq!(marks.cursor(), (3, 0, vec![]));
    assert_eq!(marks.next_seq(), 3);
}

#[test]
fn an_event_is_counted_once_however_often_it_is_settled() {
    let mut marks = LaneMarks::restore(1, 0, &[]);
    marks.begin(1, Groups::untold(2)).unwrap();
    assert!(marks.settle(1, 1).is_some());
    assert!(marks.settle(1, 1).is_none());
    assert!(marks.settle(9, 0).is_none(), "not begun");
    assert!(marks.settle(1, 7).is_none(), "not in the chunk");
}

#[test]
fn a_restored_bitmap_reaches_over_chunks() {
    let mut marks = LaneMarks::restore(4, 1, &[0b0101_0010]);
    // From (4,1): not, settled, not, not, settled, not, settled.
    assert_eq!(marks.begin(4, Groups::untold(4)).unwrap(), [true, false, true, false]);
    assert_eq!(marks.begin(5, Groups::untold(4)).unwrap(), [false, true, false, true]);
    assert_eq!(marks.cursor(), (4, 1, vec![0b0101_0010]));
}

#[test]
fn rewinding_forgets_only_what_is_not_settled() {
    let mut marks = LaneMarks::restore(1, 0, &[]);
    marks.begin(1, Groups::untold(3)).unwrap();
    marks.begin(2, Groups::untold(3)).unwrap();
    marks.settle(1, 0).unwrap();
    marks.settle(2, 2).unwrap();
    marks.rewind();
    assert_eq!(marks.next_seq(), 1);
    assert_eq!(marks.begin(1, Groups::untold(3)).unwrap(), [true, false, false]);
    assert_eq!(marks.begin(2, Groups::untold(3)).unwrap(), [false, false, true]);
}

#[test]
fn a_chunk_is_begun_once() {
    let mut marks = LaneMarks::restore(3, 1, &[]);
    assert_eq!(marks.begin(2, Groups::untold(4)), Err(BegunBefore { next: 3 }), "the cursor is beyond it");
    assert_eq!(marks.begin(3, Groups::untold(2)), Ok(vec![true, false]));
    assert_eq!(marks.begin(4, Groups::untold(1)), Ok(vec![false]));
    assert_eq!(marks.begin(3, Groups::untold(2)), Err(BegunBefore { next: 5 }), "it is not settled");
    assert_eq!(marks.begin(4, Groups::untold(1)), Err(BegunBefore { next: 5 }));
    assert_eq!(marks.begun(), 3, "what is refused leaves no trace");
    assert!(marks.settle(4, 0).is_some() && marks.settle(3, 1).is_some());
    assert_eq!(marks.begin(4, Groups::untold(1)), Err(BegunBefore { next: 5 }), "it is settled");
    assert_eq!(marks.begin(5, Groups::untold(1)), Ok(vec![false]));
}

#[test]
fn chunks_that_were_dropped_are_skipped() {
    let mut marks = LaneMarks::restore(1, 2, &[0b10]);
    assert_eq!(marks.begin(7, Groups::untold(2)).unwrap(), [false, false]);
    marks.skip_to(7);
    assert_eq!(marks.cursor(), (8, 0, vec![]));
}

#[test]
fn what_expires_is_what_was_not_settled_and_the_rest_of_the_bitmap_stands() {
    // From (1,1): not, settled, not, settled.
    let mut marks = LaneMarks::restore(1, 1, &[0b1010]);
    assert_eq!(marks.unsettled(1, Groups::untold(3)), [1]);
    marks.skip_to(1);
    assert_eq!(marks.cursor(), (2, 0, vec![0b10]));
    assert_eq!(marks.unsettled(2, Groups::untold(3)), [0, 2]);
    assert!(marks.settle(2, 0).is_some(), "it is begun");
    assert_eq!(marks.unsettled(2, Groups::untold(3)), [2]);
    marks.skip_to(2);
    assert!(marks.settle(2, 2).is_none(), "what has expired is counted once");
    assert_eq!(marks.unsettled(2, Groups::untold(3)), [0; 0], "the lane is beyond it");
    assert_eq!(marks.cursor(), (3, 0, vec![]));
}

#[test]
fn a_random_run_ends_where_a_plain_list_says() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for _ in 0..200 {
        let sizes: Vec<u32> = (0..6).map(|_| 1 + next(70) as u32).collect();
        let mut marks = LaneMarks::restore(1, 0, &[]);
        let mut settled = Vec::new();
        for (at, size) in sizes.iter().enumerate() {
            marks.begin(at as i64 + 1, Groups::untold(*size)).unwrap();
            settled.push(vec![false; *size as usize]);
        }
        for _ in 0..next(300) {
            let at = next(6) as usize;
            let idx = next(u64::from(sizes[at])) as usize;
            assert_eq!(marks.settle(at as i64 + 1, idx as u32).is_some(), !settled[at][idx]);
            settled[at][idx] = true;
        }
        let (seq, idx, bitmap) = marks.cursor();
        let mut again = LaneMarks::restore(seq, idx, &bitmap);
        for (at, size) in sizes.iter().enumerate().skip(seq as usize - 1) {
            assert_eq!(again.begin(at as i64 + 1, Groups::untold(*size)).unwrap(), settled[at], "sizes {sizes:?}");
        }
        for done in &settled[..seq as usize - 1] {
            assert!(done.iter().all(|set| *set));
        }
    }
}
