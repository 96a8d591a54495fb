use super::*;
use crate::config::Config;
use crate::lines::Lines;
use bytes::Bytes;
use pintle_tests::folder::Folder;
use pintle_tests::s3::S3;
use serde_json::{Value, json};
use std::num::{NonZeroU64, NonZeroUsize};

const BUCKET: &str = "raw";

fn opened(place: &Value, config: &Config) -> Depot {
    let router = pintle_router::Config {
        egress_allow: serde_json::from_value(json!(["127.0.0.0/8"])).unwrap(),
        ..pintle_router::Config::default()
    };
    Depot::open(Place::read(place).unwrap(), config, &router)
}

/// A server and a folder, each with a bucket. What they are made of goes with the test.
struct Places {
    s3: S3,
    folder: Folder,
}

impl Places {
    async fn new() -> Places {
        let (s3, folder) = (S3::start().await, Folder::new("objects-read"));
        s3.make_bucket(BUCKET);
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        Places { s3, folder }
    }

    fn depots(&self, config: &Config) -> [Depot; 2] {
        let config = Config { local_folders: vec![self.folder.path().to_owned()], ..config.clone() };
        let folder = json!({"endpoint": format!("file://{}", self.folder.path().display())});
        [opened(&self.s3.config(BUCKET), &config), opened(&folder, &config)]
    }
}

fn gzip(lines: &[&str]) -> Bytes {
    let mut written = Lines::new();
    lines.iter().for_each(|line| written.push(line.as_bytes()));
    written.finish()
}

/// Lines that hardly compress.
fn noise(lines: usize, bytes: usize) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    (0..lines).map(|_| (0..bytes).map(|_| next()).collect()).collect()
}

async fn read_all(depot: &Depot, name: &str) -> Result<Vec<String>, Failure> {
    let mut object = depot.get(BUCKET, name).await?;
    let mut lines = Vec::new();
    while let Some(line) = object.line().await? {
        assert_eq!(line.number, lines.len() as u64 + 1);
        lines.push(String::from_utf8(line.text.unwrap().to_vec()).unwrap());
    }
    assert_eq!(object.line().await, Ok(None), "the end is the end");
    Ok(lines)
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Failure>) -> String {
    let Err(Failure::Refused { reason }) = refused else { panic!("{refused:?}") };
    reason
}

#[test]
fn the_parts_of_a_name_are_what_was_written() {
    for name in ["site/gw/a.json.gz", "a~b/[c]/100%/ü", "%zz/%4/.."] {
        assert_eq!(parts(Path::from(name).as_ref()).join("/"), name);
    }
    assert_eq!(parts("a%FFb/%4"), ["a%FFb", "%4"], "no text of ours");
}

#[tokio::test]
async fn a_listing_has_every_object_below_a_folder_by_name() {
    let places = Places::new().await;
    for depot in places.depots(&Config::default()) {
        for name in ["eu/b/2.json.gz", "eu/a/1~.json.gz", "eu/a.json.gz", "eu-west/x.json.gz"] {
            depot.put(BUCKET, name, gzip(&["{}"])).await.unwrap();
        }
        let size = gzip(&["{}"]).len() as u64;
        let listed = |name: &str| Listed { name: name.to_owned(), size };
        let below = ["eu/a.json.gz", "eu/a/1%7E.json.gz", "eu/b/2.json.gz"].map(listed);
        assert_eq!(depot.list(BUCKET, "eu").await.unwrap(), below, "{depot:?}");
        assert_eq!(depot.list(BUCKET, "eu/").await.unwrap(), below);
        assert_eq!(depot.list(BUCKET, "").await.unwrap().len(), 4);
        assert_eq!(depot.list(BUCKET, "eu/none").await.unwrap(), []);
        assert_eq!(read_all(&depot, "eu/a/1%7E.json.gz").await.unwrap(), ["{}"], "by its stored name");
    }
}

#[tokio::test]
async fn a_listing_of_many_pages_is_whole_and_bounded() {
    let places = Places::new().await;
    for bucket in [places.s3.bucket(BUCKET), places.folder.path().join(BUCKET)] {
        std::fs::create_dir(bucket.join("day")).unwrap();
        for number in 0..2_345 {
            std::fs::write(bucket.join(format!("day/{number:04}.json.gz")), b"").unwrap();
        }
    }
    for depot in places.depots(&Config::default()) {
        let listed = depot.list(BUCKET, "day").await.unwrap();
        let names: Vec<String> = (0..2_345).map(|number| format!("day/{number:04}.json.gz")).collect();
        assert_eq!(listed.into_iter().map(|object| object.name).collect::<Vec<_>>(), names, "{depot:?}");
    }
    let few = Config { listed_objects_max: NonZeroUsize::new(2_344).unwrap(), ..Config::default() };
    for depot in places.depots(&few) {
        let reason = reason(depot.list(BUCKET, "day").await);
        assert!(reason.contains("more than 2344 objects below \"day\" (listed-objects-max)"), "{reason}");
    }
}

#[tokio::test]
async fn an_object_of_many_pieces_is_read_line_by_line() {
    let places = Places::new().await;
    let lines = noise(60, 200_000);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let body = gzip(&lines);
    assert!(body.len() > 9 << 20, "three pieces");
    // Whoever appends to a gzip makes one of several parts.
    let appended = [gzip(&["one", "", "two"]), gzip(&[]), gzip(&["three"])].concat();
    let last_has_no_end = {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"one\r\ntwo").unwrap();
        gzip.finish().unwrap()
    };
    for depot in places.depots(&Config::default()) {
        depot.put(BUCKET, "large.json.gz", body.clone()).await.unwrap();
        assert!(read_all(&depot, "large.json.gz").await.unwrap() == lines, "{depot:?}");
        depot.put(BUCKET, "parts.json.gz", appended.clone().into()).await.unwrap();
        assert_eq!(read_all(&depot, "parts.json.gz").await.unwrap(), ["one", "", "two", "three"]);
        depot.put(BUCKET, "open.json.gz", last_has_no_end.clone().into()).await.unwrap();
        assert_eq!(read_all(&depot, "open.json.gz").await.unwrap(), ["one\r", "two"]);
        depot.put(BUCKET, "none.json.gz", gzip(&[])).await.unwrap();
        assert!(read_all(&depot, "none.json.gz").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_line_that_is_too_long_costs_no_other() {
    let places = Places::new().await;
    let long = "x".repeat(3_000_000);
    let body = gzip(&["a", &long, "b", &"y".repeat(1_001), &"z".repeat(1_000), &long]);
    let config = Config { line_bytes_max: NonZeroUsize::new(1_000).unwrap(), ..Config::default() };
    for depot in places.depots(&config) {
        depot.put(BUCKET, "x.json.gz", body.clone()).await.unwrap();
        let mut object = depot.get(BUCKET, "x.json.gz").await.unwrap();
        let mut found = Vec::new();
        while let Some(line) = object.line().await.unwrap() {
            found.push((line.number, line.bytes, line.text.is_some()));
        }
        let wanted = [
            (1, 1, true),
            (2, 3_000_000, false),
            (3, 1, true),
            (4, 1_001, false),
            (5, 1_000, true),
            (6, 3_000_000, false),
        ];
        assert_eq!(found, wanted, "{depot:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let places = Places::new().await;
    let whole = gzip(&noise(100, 1_000).iter().map(String::as_str).collect::<Vec<_>>());
    let mut wrong = whole.to_vec();
    let middle = wrong.len() / 2;
    wrong[middle..middle + 64].fill(0);
    for depot in places.depots(&Config::default()) {
        let put = async |name: &str, body: &[u8]| {
            depot.put(BUCKET, name, Bytes::copy_from_slice(body)).await.unwrap();
        };
        put("cut.json.gz", &whole[..whole.len() - 4]).await;
        put("half.json.gz", &whole[..middle]).await;
        put("wrong.json.gz", &wrong).await;
        put("plain.json.gz", b"{\"a\":1}\n").await;
        put("empty.json.gz", b"").await;
        put("behind.json.gz", &[&whole[..], b"more"].concat()).await;
        for (name, part) in [
            ("cut.json.gz", "breaks off or is damaged at its end, behind line"),
            ("half.json.gz", "breaks off or is damaged at its end, behind line"),
            ("wrong.json.gz", "damaged"),
            ("behind.json.gz", "damaged"),
            ("plain.json.gz", "is no gzip"),
            ("empty.json.gz", "is empty"),
            ("none.json.gz", "is not there (any more)"),
        ] {
            let reason = reason(read_all(&depot, name).await);
            assert!(reason.starts_with(&format!("the object \"{name}\" of bucket \"raw\" at ")), "{reason}");
            assert!(reason.contains(part), "{reason}");
        }
        let reason = reason(read_all(&depot, "a/../../b").await);
        assert!(reason.contains("is no object's name"), "{reason}");
    }
    let small = Config { object_bytes_max: NonZeroU64::new(100).unwrap(), ..Config::default() };
    for depot in places.depots(&small) {
        let reason = reason(depot.get(BUCKET, "cut.json.gz").await);
        assert!(reason.contains("more than 100 (object-bytes-max)"), "{reason}");
    }
}

#[tokio::test]
async fn what_was_given_before_the_damage_is_whole_and_nothing_follows_it() {
    let places = Places::new().await;
    let lines = noise(100, 1_000);
    let whole = gzip(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    for depot in places.depots(&Config::default()) {
        depot.put(BUCKET, "half.json.gz", whole.slice(..whole.len() / 2)).await.unwrap();
        let mut object = depot.get(BUCKET, "half.json.gz").await.unwrap();
        let mut given = 0;
        let failure = loop {
            match object.line().await {
                Ok(line) => assert_eq!(line.unwrap().text, Some(lines[given].as_bytes())),
                Err(failure) => break failure,
            }
            given += 1;
        };
        assert!(given > 0, "{failure}");
        assert_eq!(object.line().await, Err(failure));
    }
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_is_told() {
    let places = Places::new().await;
    let body = gzip(&noise(60, 200_000).iter().map(String::as_str).collect::<Vec<_>>());
    for depot in places.depots(&Config::default()) {
        depot.put(BUCKET, "x.json.gz", body.clone()).await.unwrap();
        let mut object = depot.get(BUCKET, "x.json.gz").await.unwrap();
        object.line().await.unwrap();
        depot.put(BUCKET, "x.json.gz", gzip(&["{}"])).await.unwrap();
        let failure = loop {
            if let Err(failure) = object.line().await {
                break failure;
            }
        };
        assert!(failure.to_string().contains("\"x.json.gz\""), "{failure}");
    }
}

#[tokio::test]
async fn a_missing_bucket_and_wrong_credentials_are_told_apart() {
    let places = Places::new().await;
    for depot in places.depots(&Config::default()) {
        for missing in [reason(depot.list("other", "").await), reason(depot.get("other", "x.json.gz").await)] {
            assert!(missing.contains("the bucket \"other\" is not there"), "{missing}");
        }
        assert!(reason(depot.list("", "").await).contains("bucketName"));
    }
    assert!(!places.folder.path().join("other").exists(), "reading makes nothing");

    let mut config = places.s3.config(BUCKET);
    config["accessKey"] = "wrong".into();
    let depot = opened(&config, &Config::default());
    let listed = reason(depot.list(BUCKET, "").await);
    assert!(listed.contains("refuses the credentials") && listed.contains("the rights to list"), "{listed}");
    let got = reason(depot.get(BUCKET, "x.json.gz").await);
    assert!(got.contains("\"x.json.gz\"") && got.contains("may not be read"), "{got}");
}

#[tokio::test]
async fn a_closed_address_is_closed_to_reading() {
    let place = json!({"endpoint": "http://127.0.0.1:9", "accessKeyID": "k", "accessKey": "s"});
    let config = Config::default();
    let depot = Depot::open(Place::read(&place).unwrap(), &config, &pintle_router::Config::default());
    for reason in [reason(depot.list("raw", "").await), reason(depot.get("raw", "x").await)] {
        assert!(reason.contains("egress-allow"), "{reason}");
    }
    let folder = Folder::new("objects-closed");
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let place = json!({"endpoint": format!("file://{}", folder.path().display())});
    let reason = reason(opened(&place, &config).list(BUCKET, "").await);
    assert!(reason.contains("local-folders"), "{reason}");
}

#[tokio::test]
async fn a_link_out_of_a_bucket_is_not_followed() {
    let folder = Folder::new("objects-links");
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    std::fs::write(folder.path().join("secret.gz"), gzip(&["{}"])).unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.gz"), folder.path().join("raw/x.json.gz")).unwrap();
    let place = json!({"endpoint": format!("file://{}", folder.path().display())});
    let config = Config { local_folders: vec![folder.path().to_owned()], ..Config::default() };
    let reason = reason(opened(&place, &config).get(BUCKET, "x.json.gz").await);
    assert!(reason.contains("leads out of the folder"), "{reason}");
}
