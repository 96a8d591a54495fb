use super::*;
use serde_json::json;

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret".to_owned()),
        "TRICKY" => Some("${env:TOKEN}".to_owned()),
        _ => None,
    }
}

fn resolved(config: Value) -> Result<Value, Unresolved> {
    resolve_with(&config, &environment)
}

#[test]
fn references_are_replaced_wherever_they_stand() {
    let config = json!({
        "url": "https://example.com/${env:TOKEN}/x",
        "headers": [{"from": "Authorization", "to": "Bearer ${env:TOKEN}${env:TOKEN}"}],
        "n": 3,
    });
    let expected = json!({
        "url": "https://example.com/s3cret/x",
        "headers": [{"from": "Authorization", "to": "Bearer s3crets3cret"}],
        "n": 3,
    });
    assert_eq!(resolved(config), Ok(expected));
}

#[test]
fn what_a_reference_yields_is_not_resolved_again() {
    assert_eq!(resolved(json!(["${env:TRICKY}"])), Ok(json!(["${env:TOKEN}"])));
}

#[test]
fn a_doubled_dollar_keeps_the_text_and_other_braces_mean_nothing() {
    let config = json!({"a": "$${env:TOKEN}", "b": "${name}", "c": "${", "d": "$$"});
    let expected = json!({"a": "${env:TOKEN}", "b": "${name}", "c": "${", "d": "$$"});
    assert_eq!(resolved(config), Ok(expected));
}

#[test]
fn a_literal_text_survives_resolving() {
    let text = "x ${env:TOKEN} ${file:/etc/hostname} ${other}";
    assert_eq!(resolved(json!(literal(text))), Ok(json!(text)));
}

#[test]
fn a_missing_variable_is_named_with_its_path_and_fix() {
    let error = resolved(json!({"headers": [{"to": "${env:NOPE}"}]})).unwrap_err();
    assert_eq!(error.path, ".headers[0].to");
    assert_eq!(
        error.to_string(),
        "config.headers[0].to: the environment variable NOPE is not set or not UTF-8; set it where \
         pintle is started"
    );
}

#[test]
fn a_file_gives_its_content_without_the_last_line_break() {
    let path = std::env::temp_dir().join(format!("pintle-secret-{}", std::process::id()));
    std::fs::write(&path, "line\nsecret\r\n").unwrap();
    let config = json!({"k": format!("<${{file:{}}}>", path.display())});
    let value = resolved(config);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(value, Ok(json!({"k": "<line\nsecret>"})));
}

#[test]
fn a_missing_or_oversized_file_is_named() {
    let error = resolved(json!({"k": "${file:/no/such/file}"})).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");

    let path = std::env::temp_dir().join(format!("pintle-secret-big-{}", std::process::id()));
    std::fs::write(&path, vec![b'x'; SECRET_BYTES_MAX as usize + 1]).unwrap();
    let error = resolved(json!({"k": format!("${{file:{}}}", path.display())})).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");
    assert!(!error.to_string().contains("xxx"), "{error}");
}

#[test]
fn malformed_references_are_found_without_resolving() {
    let config = json!({"a": "${env:}", "b": "${env:X", "c": "${file:relative}", "d": "${env:FINE}"});
    let found: Vec<String> = malformed(&config).into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, [".a", ".b", ".c"]);
}

#[test]
fn what_references_stood_for_is_noted_wherever_they_stand() {
    let file = std::env::temp_dir().join(format!("pintle-noted-{}", std::process::id()));
    std::fs::write(&file, "hunter2\n").unwrap();
    let reference = format!("${{file:{}}}", file.display());
    let config = json!({"url": format!("https://a.example/{reference}/in"), "plain": "x", "deep": [{"to": reference}]});
    let (resolved, noted) = resolve_noting(&config).unwrap();
    assert_eq!(resolved["url"], "https://a.example/hunter2/in");
    assert_eq!(noted, ["hunter2", "hunter2"]);
    std::fs::remove_file(&file).unwrap();
    assert!(resolve_noting(&config).is_err());
}
