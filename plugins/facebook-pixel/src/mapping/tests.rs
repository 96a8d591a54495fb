use crate::FacebookPixel;
use pintle_plugin_sdk::cases;
use std::path::Path;

#[test]
fn every_case_comes_out_as_its_file_says() {
    let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("cases");
    let run = cases::assert_all::<FacebookPixel>(&folder);
    assert!(run > 40, "only {run} cases were found");
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    pintle_plugin_sdk::cases::assert_manifest::<FacebookPixel>(env!("CARGO_PKG_VERSION"), &["/accessToken"]);
}
