use super::*;
use std::net::{SocketAddr, TcpListener};

pub(crate) fn words(line: &str) -> Vec<OsString> {
    std::iter::once("pintle").chain(line.split_whitespace()).map(Into::into).collect()
}

/// No command of these tests fetches.
pub(crate) fn nowhere(_: Networks) -> Arc<dyn Network> {
    panic!("a network was asked for")
}

/// Runs a command line and gives its exit code, stdout and stderr.
pub(crate) fn ran(line: &str) -> (ExitCode, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let Invocation::Done(code) = parse_from(words(line), nowhere, &mut out, &mut err) else {
        panic!("{line} is not done here")
    };
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

pub(crate) fn exit(exit: Exit) -> String {
    format!("{:?}", ExitCode::from(exit))
}

#[test]
fn the_definition_of_the_command_line_holds_together() {
    use clap::CommandFactory;
    Args::command().debug_assert();
}

#[test]
fn up_alone_is_enough() {
    let Invocation::Up(up) = parse_from(words("up"), nowhere, &mut vec![], &mut vec![]) else { panic!() };
    assert!(up.listen.is_none() && up.workspace.is_none() && !up.admin_insecure);
}

#[test]
fn up_takes_everything_it_can_be_told() {
    let line = "up --listen 0.0.0.0:80 --admin-listen 127.0.0.1:9 --admin-insecure --data-dir /d \
                --database-url postgres://u:hunter2@h/db --workspace w.yaml --plugins-dir p --config \
                c.yaml --log-format json";
    let Invocation::Up(up) = parse_from(words(line), nowhere, &mut vec![], &mut vec![]) else { panic!() };
    assert_eq!(up.listen, Some("0.0.0.0:80".parse::<SocketAddr>().unwrap()));
    assert!(up.admin_insecure);
    assert_eq!(up.database_url.as_deref(), Some("postgres://u:hunter2@h/db"));
    assert_eq!(up.log_format, Some(LogFormat::Json));
    assert!(!format!("{up:?}").contains("hunter2"), "{up:?}");
}

#[test]
fn precompile_is_the_servers_part() {
    let invocation = parse_from(words("precompile --out o --plugins-dir p"), nowhere, &mut vec![], &mut vec![]);
    let Invocation::Precompile(args) = invocation else { panic!() };
    assert_eq!(args.out, std::path::Path::new("o"));
}

#[test]
fn a_wrong_command_line_has_an_exit_code_of_its_own() {
    for line in ["", "down", "up --listen here", "dead-letters show", "import", "import w.yaml", "status -x"] {
        assert_eq!(format!("{:?}", ran(line).0), exit(Exit::Usage), "{line}");
    }
    for line in ["--help", "--version", "up --help", "dead-letters --help"] {
        assert_eq!(format!("{:?}", ran(line).0), exit(Exit::Done), "{line}");
    }
}

#[test]
fn an_admin_address_must_be_one() {
    for admin in ["localhost:8081", "ftp://localhost:8081", "http://", "http://h/path", "8081"] {
        let (code, out, err) = ran(&format!("status --admin {admin}"));
        assert_eq!(format!("{code:?}"), exit(Exit::Usage), "{admin}: {err}");
        assert!(out.is_empty() && err.contains("http://127.0.0.1:8081"), "{err}");
    }
}

#[test]
fn nobody_at_the_admin_address_is_told_with_what_to_do() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for command in ["status", "events tail", "dead-letters list", "dead-letters retry x"] {
        let (code, out, err) = ran(&format!("{command} --admin http://{address}"));
        assert_eq!(format!("{code:?}"), exit(Exit::Unreachable), "{err}");
        assert!(out.is_empty() && err.contains("refused") && err.contains("pintle up"), "{err}");
    }
}

struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, content: &str) -> File {
        let path = std::env::temp_dir().join(format!("pintle-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const RUDDER: &str = r#"{"libraries": [{"versionId": "l"}], "sources": [{"id": "s", "name": "Site", "writeKey": "k",
  "enabled": true, "destinations": [{"id": "d", "name": "Orders", "enabled": true,
  "isProcessorEnabled": true, "transformations": TRANSFORMATIONS, "config": {"webhookUrl": "http://x/"},
  "destinationDefinition": {"name": "WEBHOOK"}}]}]}"#;

#[test]
fn an_import_is_checked_without_a_server() {
    let file = File::new("on.json", &RUDDER.replace("TRANSFORMATIONS", "[]"));
    let (code, out, err) = ran(&format!("import --check {}", file.0.display()));
    assert_eq!(
        out,
        "works:\n  source s (Site)\n  destination d (Orders)\n  connection s-d (Site → Orders)\n\noff:\n  \
         nothing\n\nignored:\n  libraries: transformation libraries come without their code in this \
         file\n"
    );
    assert_eq!((format!("{code:?}"), err.as_str()), (exit(Exit::Done), ""));
}

#[test]
fn an_import_that_leaves_something_off_says_why_and_fails() {
    let file = File::new("off.json", &RUDDER.replace("TRANSFORMATIONS", r#"[{"id": "t"}]"#));
    let (code, out, _) = ran(&format!("import --check {}", file.0.display()));
    assert_eq!(format!("{code:?}"), exit(Exit::Failed));
    let expected = "off:\n  connection s-d (Site → Orders)\n    because it has a transformation, and the \
                    file does not hold its code\n";
    assert!(out.contains(expected), "{out}");
    let (_, out, _) = ran(&format!("import --json --check {}", file.0.display()));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["kind"], "rudderstack");
    assert_eq!(report["off"][0]["item"]["id"], "s-d");
}

#[test]
fn a_file_that_cannot_be_used_is_told_on_stderr() {
    let file = File::new("bad.yaml", "sources:\n  a: {write-key: ''}\n");
    let (code, out, err) = ran(&format!("import --check {}", file.0.display()));
    assert_eq!((format!("{code:?}"), out.as_str()), (exit(Exit::BadFile), ""));
    assert!(err.contains("bad.yaml:2:18: sources.a.write-key: is empty; write the key"), "{err}");
    let (_, out, _) = ran(&format!("import --json --check {}", file.0.display()));
    let error: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(error["problems"][0]["line"], 2);
}

#[test]
fn a_workspace_of_our_own_is_checked_the_same_way() {
    let text = "sources: {s: {write-key: k}}\ndestinations: {d: {plugin: webhook, state: paused}}\n";
    let file = File::new("own.yaml", text);
    let (code, out, _) = ran(&format!("import --check {}", file.0.display()));
    assert!(out.contains("  source s (s)\n\noff:\n  destination d (d)\n    because its state is paused"), "{out}");
    assert_eq!(format!("{code:?}"), exit(Exit::Failed));
}
