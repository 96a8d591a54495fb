use super::*;
use crate::Mixpanel;
use pintle_plugin_sdk::cases::assert_manifest;
use serde_json::json;

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    assert_manifest::<Mixpanel>(env!("CARGO_PKG_VERSION"), &["/token"]);
}

#[test]
fn what_forms_leave_empty_is_not_configured() {
    let config = json!({
        "token": " t ", "dataResidency": "", "identityMergeApi": null, "strictMode": "true",
        "groupKeySettings": [{"groupKey": ""}], "setOnceProperties": "", "propIncrements": [{}, {"property": "n"}],
        "useUserDefinedPageEventName": "false", "persistenceType": "cookie",
    });
    let read = Config::read(&config).unwrap();
    assert_eq!((read.token.as_str(), read.simplified, read.pages), ("t", false, Naming::Same("Loaded a Page")));
    assert_eq!((read.group_keys.len(), read.changes[0].1.len(), read.increments), (0, 0, vec!["n".to_owned()]));
    let request = read.import.request(&json!({}));
    assert_eq!(request.url, "https://api.mixpanel.com/import/");
    assert_eq!(request.query, [("strict".to_owned(), "1".to_owned())]);
    assert_eq!(request.headers, [("authorization".to_owned(), "Basic dDo=".to_owned())]);
}

#[test]
fn a_mistake_never_repeats_a_value() {
    let config = json!({"token": ["hunter2"], "dataResidency": "hunter2", "identityMergeApi": "hunter2"});
    let Mistakes(mistakes) = Config::read(&config).unwrap_err();
    assert_eq!(mistakes.len(), 3);
    assert!(mistakes.iter().all(|mistake| !mistake.message.contains("hunter2")));
}
