use super::*;
use serde_json::json;
use std::time::Duration;

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("pintle-objects-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn depot(place: &serde_json::Value, config: &Config) -> Depot {
    Depot::open(Place::read(place).unwrap(), config, &pintle_router::Config::default())
}

#[tokio::test]
async fn a_folder_takes_objects_only_below_one_that_is_open() {
    let root = scratch("folder");
    let place = json!({"endpoint": format!("file://{}", root.display())});
    let closed = depot(&place, &Config::default()).put("events", "a/b.json.gz", Bytes::from_static(b"x")).await;
    let Err(Failure::Refused { reason }) = closed else { panic!("it was written: {closed:?}") };
    assert!(reason.contains("local-folders"), "{reason}");

    let open = depot(&place, &Config { local_folders: vec![root.clone()], ..Config::default() });
    open.put("events", "a/b.json.gz", Bytes::from_static(b"one")).await.unwrap();
    open.put("events", "a/b.json.gz", Bytes::from_static(b"two")).await.unwrap();
    assert_eq!(std::fs::read(root.join("events/a/b.json.gz")).unwrap(), b"two");
    for outside in ["..", "a/b", "."] {
        assert!(open.put(outside, "x", Bytes::new()).await.is_err(), "{outside}");
    }
    open.put("events", "../../up", Bytes::from_static(b"x")).await.unwrap();
    assert!(!root.parent().unwrap().join("up").exists(), "a key cannot lead out of its bucket");
    std::fs::remove_dir_all(&root).unwrap();
}

#[tokio::test]
async fn a_link_out_of_an_open_folder_leads_nowhere() {
    let root = scratch("link");
    let (open, closed) = (root.join("open"), root.join("closed"));
    std::fs::create_dir_all(&open).unwrap();
    std::fs::create_dir_all(&closed).unwrap();
    std::os::unix::fs::symlink(&closed, open.join("way-out")).unwrap();
    let place = json!({"endpoint": format!("file://{}/way-out", open.display())});
    let depot = depot(&place, &Config { local_folders: vec![open.clone()], ..Config::default() });
    assert!(matches!(depot.put("events", "x", Bytes::new()).await, Err(Failure::Refused { .. })));
    std::fs::remove_dir_all(&root).unwrap();
}

#[tokio::test]
async fn a_closed_address_is_refused_and_named() {
    let place = json!({"endpoint": "http://127.0.0.1:9", "accessKeyID": "k", "accessKey": "s"});
    let put = depot(&place, &Config::default()).put("events", "x", Bytes::new()).await;
    let Err(Failure::Refused { reason }) = put else { panic!("{put:?}") };
    assert!(reason.contains("egress-allow"), "{reason}");
}

#[tokio::test]
async fn a_server_that_is_away_may_be_back_later() {
    let router = pintle_router::Config {
        egress_allow: serde_json::from_value(json!(["127.0.0.0/8"])).unwrap(),
        connect_timeout: Duration::from_secs(5),
        ..pintle_router::Config::default()
    };
    let place = json!({"endpoint": "http://127.0.0.1:1", "accessKeyID": "k", "accessKey": "s"});
    let depot = Depot::open(Place::read(&place).unwrap(), &Config::default(), &router);
    let put = depot.put("events", "x", Bytes::new()).await;
    assert!(matches!(&put, Err(Failure::Later { reason }) if reason.contains("connection refused")), "{put:?}");
    let put = depot.put("", "x", Bytes::new()).await;
    assert!(matches!(&put, Err(Failure::Refused { reason }) if reason.contains("bucketName")), "{put:?}");
}
