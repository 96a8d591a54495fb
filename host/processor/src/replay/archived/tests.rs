use super::*;
use pintle_events::{Frame, Times};
use pintle_objects::{Config, Lines, Place};
use pintle_tests::s3::S3;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

const BUCKET: &str = "raw";
const LANE: i64 = -7;
/// 2026-11-22T10:00:00Z.
const START_S: i64 = 1_795_341_600;

struct Archive {
    s3: S3,
    origin: Origin,
}

impl Archive {
    async fn new(prefix: &str) -> Archive {
        let s3 = S3::start().await;
        s3.make_bucket(BUCKET);
        let router = pintle_router::Config {
            egress_allow: serde_json::from_value(serde_json::json!(["127.0.0.0/8"])).unwrap(),
            ..pintle_router::Config::default()
        };
        let config = Config { line_bytes_max: NonZeroUsize::new(100_000).unwrap(), ..Config::default() };
        let depot = Depot::open(Place::read(&s3.config(BUCKET)).unwrap(), &config, &router);
        Archive { s3, origin: Origin { depot, bucket: BUCKET.to_owned(), prefix: prefix.to_owned() } }
    }

    /// Writes lines under a name of the archive.
    async fn write(&self, source: &str, seconds: RangeInclusive<i64>, from: &str, lines: &[String]) {
        let (first, last) = seconds.into_inner();
        let prefix = ranges::below(&self.origin.prefix);
        let name = format!("{prefix}{source}/gw/2026-11-22/10/1/{first}_{last}_main_{from}-0000002a.json.gz");
        let mut object = Lines::new();
        lines.iter().for_each(|line| object.push(line.as_bytes()));
        self.origin.depot.put(BUCKET, &name, object.finish()).await.unwrap();
    }

    async fn names(&self, asked: &str, window: Window) -> Vec<String> {
        let listing = list(&self.origin, asked, window).await.unwrap();
        listing.objects.into_iter().map(|object| object.name).collect()
    }

    fn read(&self, names: &[String], window: Window, from: i64) -> Archived {
        Archived::new(self.origin.clone(), names.to_vec(), window, LANE, from)
    }
}

/// An event as the archive writes it.
fn line(source: &str, id: &str, received_at_ms: i64) -> String {
    let raw = format!(r#"{{"type":"track","userId":"u","messageId":"{id}","event":"Seen"}}"#);
    let frame = Frame {
        source_id: source,
        received_at_ms,
        request_ip: "192.0.2.7",
        message_id: id,
        user_id: "u",
        anonymous_id: "",
        event_type: "track",
        forced_kind: None,
        message_id_added: false,
        received_at_added: true,
        request_ip_added: true,
        times: Times {
            original_timestamp_ms: Some(received_at_ms),
            sent_at_ms: Some(received_at_ms),
            timestamp_ms: Some(received_at_ms),
        },
        raw: raw.as_bytes(),
    };
    let mut out = Vec::new();
    frame.write_message(&mut out);
    String::from_utf8(out).unwrap()
}

/// Lines that were received one a second, called by their place.
fn lines(source: &str, name: &str, from_s: i64, count: i64) -> Vec<String> {
    (0..count).map(|at| line(source, &format!("{name}-{at}"), (from_s + at) * 1_000)).collect()
}

/// All that comes: message ids by the numbers of their chunks.
async fn all(mut archived: Archived) -> BTreeMap<i64, Vec<String>> {
    let mut chunks = BTreeMap::new();
    let mut before = 0;
    while let Some(chunk) = archived.next().await.unwrap() {
        assert!(chunk.seq > before && chunk.lane == LANE, "{} after {before}", chunk.seq);
        before = chunk.seq;
        let ids = (0..chunk.events()).map(|idx| chunk.event(idx).message_id.to_owned()).collect();
        chunks.insert(chunk.seq, ids);
    }
    assert!(archived.next().await.unwrap().is_none(), "the end is the end");
    chunks
}

fn flat(chunks: &BTreeMap<i64, Vec<String>>) -> Vec<&str> {
    chunks.values().flatten().map(String::as_str).collect()
}

#[tokio::test]
async fn objects_come_in_the_order_in_which_their_events_were_received() {
    let archive = Archive::new("/backup/eu/").await;
    let one = |source: &str, id: &str| vec![line(source, id, START_S * 1_000)];
    archive.write("site", START_S + 60..=START_S + 90, "3-1", &one("site", "d")).await;
    archive.write("site", START_S..=START_S, "3-10", &one("site", "b")).await;
    archive.write("site", START_S..=START_S, "3-9", &one("site", "a")).await;
    archive.write("app~1", START_S + 1..=START_S + 9, "3-2", &one("app~1", "c")).await;
    archive.origin.depot.put(BUCKET, "backup/eu/rudder-logs/site/x.json.gz", "x".into()).await.unwrap();

    let listing = list(&archive.origin, "", Window::default()).await.unwrap();
    let sources: Vec<&str> = listing.objects.iter().map(|object| &*object.source_id).collect();
    assert_eq!(sources, ["site", "site", "app~1", "site"]);
    assert_eq!((listing.others, listing.outside), (1, 0));
    let names: Vec<String> = listing.objects.into_iter().map(|object| object.name).collect();
    let mut archived = archive.read(&names, Window::default(), 0);
    let mut found = Vec::new();
    while let Some(chunk) = archived.next().await.unwrap() {
        let event = chunk.event(0);
        let group = chunk.groups().of(0).unwrap();
        assert_eq!((&*group.source, group.hour), (event.source_id, (START_S / 3_600) as i32));
        found.push((chunk.seq, event.source_id.to_owned(), event.message_id.to_owned()));
    }
    let wanted = [("site", "a"), ("site", "b"), ("app~1", "c"), ("site", "d")];
    let wanted = wanted
        .iter()
        .enumerate()
        .map(|(place, (source, id))| (((place as i64) << 20) + 1, (*source).to_owned(), (*id).to_owned()));
    assert_eq!(found, wanted.collect::<Vec<_>>());
    assert_eq!(archived.progress(), (4, 4));

    assert_eq!(archive.names("app~1", Window::default()).await.len(), 1);
    assert_eq!(archive.names("site/gw/2026-11-22", Window::default()).await.len(), 3);
    assert!(archive.names("site/gw/2026-11-23", Window::default()).await.is_empty());
    assert!(matches!(list(&archive.origin, "../x", Window::default()).await, Err(Error::Asked { .. })));
}

#[tokio::test]
async fn it_goes_on_wherever_it_was_interrupted() {
    let archive = Archive::new("").await;
    archive.write("site", START_S..=START_S + 2_499, "1-1", &lines("site", "a", START_S, 2_500)).await;
    archive.write("site", START_S + 3_000..=START_S + 3_000, "1-2", &[]).await;
    archive.write("site", START_S + 4_000..=START_S + 5_099, "1-3", &lines("site", "b", START_S + 4_000, 1_100)).await;
    let names = archive.names("", Window::default()).await;
    let whole = all(archive.read(&names, Window::default(), 0)).await;
    let numbers: Vec<i64> = whole.keys().copied().collect();
    assert_eq!(numbers, [1, 2, 3, (2 << 20) + 1, (2 << 20) + 2]);
    assert_eq!(flat(&whole).len(), 3_600);
    for from in numbers.iter().copied().chain([4, 5, (1 << 20) + 1, (2 << 20) + 3, 9 << 20]) {
        let again = all(archive.read(&names, Window::default(), from)).await;
        assert_eq!(again, whole.range(from..).map(|(seq, ids)| (*seq, ids.clone())).collect(), "from {from}");
    }
    // Objects that lie behind are not opened.
    std::fs::remove_file(archive.s3.bucket(BUCKET).join(&names[0])).unwrap();
    let again = all(archive.read(&names, Window::default(), (2 << 20) + 1)).await;
    assert_eq!(flat(&again).len(), 1_100);
}

#[tokio::test]
async fn giving_up_the_wait_loses_nothing() {
    let archive = Archive::new("").await;
    archive.write("site", START_S..=START_S + 3_499, "1-1", &lines("site", "a", START_S, 3_500)).await;
    let names = archive.names("", Window::default()).await;
    let whole = all(archive.read(&names, Window::default(), 0)).await;
    let mut archived = archive.read(&names, Window::default(), 0);
    let mut found = BTreeMap::new();
    let mut polls = 0;
    loop {
        // Given up at every place where it waits, one further each time.
        polls += 1;
        let mut left = polls;
        let mut next = std::pin::pin!(archived.next());
        let given_up = std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            next.as_mut().poll(context).map(Some)
        });
        match given_up.await {
            None => {}
            Some(chunk) => {
                polls = 0;
                let Some(chunk) = chunk.unwrap() else { break };
                let ids = (0..chunk.events()).map(|idx| chunk.event(idx).message_id.to_owned()).collect::<Vec<_>>();
                assert!(found.insert(chunk.seq, ids).is_none());
            }
        }
    }
    assert_eq!(found, whole);
}

#[tokio::test]
async fn a_window_leaves_out_objects_and_events() {
    let archive = Archive::new("").await;
    for (at, from) in [(0, "1-1"), (100, "1-2"), (200, "1-3")] {
        let name = format!("e{at}");
        archive.write("site", START_S + at..=START_S + at + 99, from, &lines("site", &name, START_S + at, 100)).await;
    }
    let ms = |seconds: i64| Some((START_S + seconds) * 1_000);
    let window = Window { since_ms: ms(150), until_ms: ms(200) };
    let listing = list(&archive.origin, "", window).await.unwrap();
    assert_eq!((listing.objects.len(), listing.outside), (1, 2));
    let names = archive.names("", window).await;
    let found = all(archive.read(&names, window, 0)).await;
    assert_eq!(flat(&found), (50..100).map(|at| format!("e100-{at}")).collect::<Vec<_>>());
    // The numbers are those of the objects' pieces, however few of their events are wanted.
    let everything = archive.names("", Window::default()).await;
    let found = all(archive.read(&everything, window, 0)).await;
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [(1 << 20) + 1]);
    assert_eq!(archive.names("", Window { since_ms: None, until_ms: ms(0) }).await.len(), 0);
    assert_eq!(archive.names("", Window { since_ms: ms(299), until_ms: None }).await.len(), 1);
}

#[tokio::test]
async fn lines_that_are_no_events_are_told_with_their_places() {
    let archive = Archive::new("").await;
    let mut written = lines("site", "a", START_S, 3);
    written.insert(1, "{\"userId\":".to_owned());
    written.insert(3, String::new());
    written.push(r#"{"type":"track"}"#.to_owned());
    written.push(line("site", &"x".repeat(200_000), START_S * 1_000));
    archive.write("site", START_S..=START_S + 9, "1-1", &written).await;
    let many: Vec<String> = (0..2_500).map(|_| "[]".to_owned()).collect();
    archive.write("site", START_S + 10..=START_S + 10, "1-2", &many).await;
    let names = archive.names("", Window::default()).await;
    let mut archived = archive.read(&names, Window::default(), 0);
    assert_eq!(archived.next().await.unwrap().unwrap().events(), 3);
    let Unfits { count, first } = archived.take_unfit();
    let told: Vec<String> = first.iter().map(|unfit| format!("{} {}", unfit.line, unfit.why)).collect();
    let too_long = written[6].len();
    let wanted = [
        "2 not JSON at byte 10".to_owned(),
        "6 it has neither userId nor anonymousId".to_owned(),
        format!("7 it has {too_long} bytes (line-bytes-max)"),
    ];
    assert_eq!((count, told), (3, wanted.to_vec()));
    assert!(first.iter().all(|unfit| unfit.object == names[0]));
    assert!(archived.next().await.unwrap().is_none());
    let Unfits { count, first } = archived.take_unfit();
    assert_eq!((count, first.len()), (2_500, UNFIT_TOLD_MAX));
    assert_eq!(archived.take_unfit(), Unfits::default());
}

#[tokio::test]
async fn an_object_that_is_gone_or_damaged_stops_it_until_it_is_back() {
    let archive = Archive::new("").await;
    archive.write("site", START_S..=START_S + 2_499, "1-1", &lines("site", "a", START_S, 2_500)).await;
    archive.write("site", START_S + 3_000..=START_S + 3_009, "1-2", &lines("site", "b", START_S + 3_000, 10)).await;
    let names = archive.names("", Window::default()).await;
    let whole = all(archive.read(&names, Window::default(), 0)).await;
    let path = archive.s3.bucket(BUCKET).join(&names[0]);
    let body = std::fs::read(&path).unwrap();
    std::fs::write(&path, &body[..body.len() - 3]).unwrap();

    let mut archived = archive.read(&names, Window::default(), 0);
    assert_eq!(archived.next().await.unwrap().unwrap().seq, 1);
    assert_eq!(archived.next().await.unwrap().unwrap().seq, 2);
    for _ in 0..2 {
        let error = archived.next().await.unwrap_err().to_string();
        assert!(error.contains(&names[0]) && error.contains("breaks off"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let error = archived.next().await.unwrap_err().to_string();
    assert!(error.contains(&names[0]) && error.contains("is not there"), "{error}");
    std::fs::write(&path, &body).unwrap();
    assert_eq!(all(archived).await, whole.range(3..).map(|(seq, ids)| (*seq, ids.clone())).collect());

    let mut strange = archive.read(&["site/else.json.gz".to_owned()], Window::default(), 0);
    assert!(matches!(strange.next().await, Err(Error::Name { .. })));
    let mut endless = archive.read(&names, Window::default(), 1 << 20);
    assert!(endless.next().await.unwrap().is_some_and(|chunk| chunk.seq == (1 << 20) + 1));
}

#[tokio::test]
async fn a_dry_run_counts_as_far_as_its_time_goes() {
    let archive = Archive::new("").await;
    let mut written = lines("site", "a", START_S, 1_500);
    written[7] = "nonsense".to_owned();
    archive.write("site", START_S..=START_S + 1_499, "1-1", &written).await;
    let names = archive.names("", Window::default()).await;
    let mut shown = 0;
    let archived = archive.read(&names, Window::default(), 0);
    let counted = archived.count(Duration::from_secs(600), |chunk| shown += chunk.events()).await.unwrap();
    assert_eq!((counted.events, counted.objects, counted.is_complete, shown), (1_499, 1, true, 1_499));
    assert_eq!((counted.unfit.count, counted.unfit.first[0].line), (1, 8));
    let none = archive.read(&names, Window::default(), 0).count(Duration::ZERO, |_| ()).await.unwrap();
    assert!(!none.is_complete && none.objects == 0);
    let gone = archive.read(&["site/gw/d/1/1/1_2_main_1-1-a.json.gz".to_owned()], Window::default(), 0);
    assert!(gone.count(Duration::from_secs(600), |_| ()).await.is_err());
}

#[tokio::test]
async fn a_piece_is_bounded_in_bytes() {
    let archive = Archive::new("").await;
    let padded: Vec<String> = (0..30)
        .map(|at| {
            let plain = line("site", &format!("m-{at}"), START_S * 1_000);
            plain.replacen("Seen", &"y".repeat(90_000), 1)
        })
        .collect();
    archive.write("site", START_S..=START_S, "1-1", &padded).await;
    let names = archive.names("", Window::default()).await;
    let whole = all(archive.read(&names, Window::default(), 0)).await;
    assert_eq!(whole.values().map(Vec::len).collect::<Vec<_>>(), [12, 12, 6]);
}

#[test]
fn numbers_and_places_belong_together() {
    for (place, piece) in [(0, 0), (0, 1), (7, 0), (250_000, (1 << 20) - 1)] {
        assert_eq!(place_of(seq_of(place, piece)), (place, piece));
    }
    assert_eq!([place_of(0), place_of(-5), place_of(1)], [(0, 0); 3]);
}
