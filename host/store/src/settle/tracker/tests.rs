use super::*;
use crate::ledger::tally::Tally;

fn tracker(fold_interval: Duration) -> Arc<Tracker> {
    let restored = Restored {
        ends: None,
        totals: Counts::default(),
        unfolded: Tally::default(),
        folds: 7,
        lanes: BTreeMap::new(),
        parked: HashMap::new(),
    };
    Arc::new(Tracker::new("d".into(), 100, fold_interval, restored, Arc::default()))
}

async fn pass(tracker: &Arc<Tracker>, seq: i64) {
    tracker.begin(1, seq, &Groups::untold(2)).await.unwrap();
    tracker.pass(1, seq, 0..1, Passed::Duplicate);
    tracker.pass(1, seq, 1..2, Passed::NotRouted);
}

#[tokio::test]
async fn a_fold_of_which_nobody_heard_is_presented_again_with_the_number_it_had() {
    let tracker = tracker(Duration::ZERO);
    pass(&tracker, 1).await;
    let first = tracker.take();
    let (folds, folding) = first.folding.clone().unwrap();
    assert_eq!((folds, first.unfolded.len()), (7, 0));
    assert_eq!(folding.totals().sum(), 2);

    tracker.put_back(first);
    pass(&tracker, 2).await;
    let again = tracker.take();
    assert_eq!(again.folding, Some((7, folding)), "what comes meanwhile is no part of it");
    assert_eq!(Tally::decode(&again.unfolded).unwrap().totals().sum(), 2);
    assert_eq!(again.cursors, [(1, 3, 0, vec![])], "the cursor is that of both");

    tracker.written(&again);
    let next = tracker.take();
    assert_eq!(next.folding.map(|(folds, tally)| (folds, tally.totals().sum())), Some((8, 2)));
    assert_eq!(tracker.books(), Books { filtered: 2, ..Books::default() }, "what is not its own is in no total");
}

#[tokio::test]
async fn counts_are_carried_until_a_fold_is_due() {
    let tracker = tracker(Duration::from_secs(3600));
    for seq in 1..=3 {
        pass(&tracker, seq).await;
        let snapshot = tracker.take();
        assert_eq!(snapshot.folding, None);
        let carried = Tally::decode(&snapshot.unfolded).unwrap();
        assert_eq!(carried.totals().sum(), 2 * seq, "all of them, each time: repeating it changes nothing");
        tracker.written(&snapshot);
    }
}
