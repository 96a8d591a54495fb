//! What README.md says about reading objects with DuckDB is what DuckDB does.

use pintle_tests::events::{Events, post};
use pintle_tests::folder::{Folder, project_dir};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The folder in README.md.
const THEIRS: &str = "/srv/lake";
/// Without a network: what DuckDB needs is in it.
const PROGRAM: &str = r#"
import duckdb, json, sys
connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
result = connection.execute(sys.argv[1])
print(json.dumps([dict(zip([column[0] for column in result.description], row)) for row in result.fetchall()]))
"#;

/// The statements of README.md, for our folder.
fn statements(ours: &Path) -> Vec<String> {
    let readme = std::fs::read_to_string(project_dir().join("README.md")).unwrap();
    let blocks = readme.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.replace(THEIRS, ours.to_str().unwrap())).collect()
}

fn run(statement: &str) -> Value {
    let python =
        std::env::var_os("DUCKDB_PYTHON").expect("DUCKDB_PYTHON is a Python with duckdb; scripts/test gets it");
    let done = Command::new(python).args(["-c", PROGRAM, statement]).output().unwrap();
    assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_a_destinations_objects_and_the_archive_as_the_readme_says() {
    let folder = Folder::new("lake");
    let endpoint = format!("file://{}", folder.path().display());
    let workspace = Workspace::new()
        .destination("lake", "s3", json!({"bucketName": "events", "endpoint": endpoint}))
        .filter("lake", &json!({"message-types": ["track"]}));
    let options = Options::new(&workspace)
        .set("objects", "range-time-max", 0.2)
        .set("objects", "local-folders", json!([folder.path()]))
        .set("archive", "bucket", "raw")
        .set("archive", "endpoint", endpoint);
    let pintle = Pintle::start(options).await;
    post(pintle.gateway(), &Events::new(95, 0).many(3, 20), 20).await.unwrap();
    let page = r#"{"type":"page","name":"Home","userId":"user-0","messageId":"page/0"}"#.to_owned();
    post(pintle.gateway(), &[page], 1).await.unwrap();
    pintle.wait_delivered("lake", 60).await;
    pintle.wait_delivered("$archive", 61).await;

    let statements = statements(folder.path());
    assert_eq!(statements.len(), 2, "the README has one for each: {statements:?}");
    assert_eq!(run(&statements[0]), json!([{"event": "Counted", "events": 60, "users": 3}]));
    let archived = run(&statements[1]);
    let days: Vec<&Value> = archived.as_array().unwrap().iter().collect();
    assert!(days.iter().all(|day| day["source"] == "site" && day["day"].as_str().unwrap().len() == 10), "{archived:#}");
    assert_eq!(days.iter().map(|day| day["events"].as_u64().unwrap()).sum::<u64>(), 61, "{archived:#}");
}
