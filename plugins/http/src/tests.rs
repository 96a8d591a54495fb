use crate::Http;
use pintle_plugin_sdk::cases;
use std::path::Path;

#[test]
fn every_case_comes_out_as_its_file_says() {
    let run = cases::assert_all::<Http>(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    assert!(run > 20, "only {run} cases were found");
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    pintle_plugin_sdk::cases::assert_manifest::<Http>(
        env!("CARGO_PKG_VERSION"),
        &["/password", "/bearerToken", "/apiKeyValue"],
    );
}
