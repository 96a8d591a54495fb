use super::Config;

#[test]
fn an_empty_file_and_a_file_of_comments_are_the_defaults() {
    assert_eq!(Config::parse("").unwrap().store.append_timeout, Config::default().store.append_timeout);
    assert!(Config::parse("# nothing yet\n").is_ok());
}

#[test]
fn a_setting_is_read_and_a_misspelt_one_is_named() {
    let config = Config::parse("store:\n  append-timeout: 2.5\n  log-bytes-max: 67108864\n").unwrap();
    assert_eq!(config.store.append_timeout.as_millis(), 2500);
    let error = Config::parse("store:\n  apend-timeout: 2\n").unwrap_err();
    assert!(error.contains("apend-timeout"), "{error}");
}
