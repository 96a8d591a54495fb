//! The gateway over TLS.

use pintle_tests::events::Events;
use pintle_tests::http::Request;
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::tls;
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use std::process::Stdio;
use tokio::net::TcpStream;
use tokio::process::Command;

/// Posts an event with curl; gives its exit code and what it printed: the answer, the version of HTTP, the status.
async fn curl(pintle: &Pintle, event: &str, more: &[&str]) -> (i32, String) {
    let url = format!("https://{}/v1/track", pintle.gateway());
    let mut command = Command::new("curl");
    command.args(["--silent", "--max-time", "60", "--write-out", " %{http_version} %{http_code}"]);
    command.args(["--user", &format!("{WRITE_KEY}:"), "--data", event]).args(more).arg(url);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("curl is installed");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_the_gateway_speaks_tls_in_both_versions_of_http_and_nothing_else() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let with = |options: Options| {
        options.set("gateway", "tls-certificate", tls::certificate()).set("gateway", "tls-key", tls::key())
    };
    let mut pintle = Pintle::start(with(Options::new(&workspace)).set("gateway", "handshake-time-max", 0.2)).await;
    let mut events = Events::new(51, 0);
    let certificate = tls::certificate();
    let trusting = ["--cacert", certificate.as_str()];
    // Somebody who connects and says nothing holds up nobody, and is sent away.
    let silent = TcpStream::connect(pintle.gateway()).await.unwrap();
    for (n, (more, version)) in [("--http1.1", "1.1"), ("--http2", "2")].into_iter().enumerate() {
        let (code, said) = curl(&pintle, &events.track("user-0", n), &[&trusting[..], &[more]].concat()).await;
        assert_eq!((code, said), (0, format!("ok {version} 200")));
    }
    silent.readable().await.unwrap();
    assert_eq!(silent.try_read(&mut [0; 1]).unwrap(), 0, "the end, without a word");

    // A client that does not trust the certificate sends nothing.
    let (code, said) = curl(&pintle, &events.track("user-0", 2), &[]).await;
    assert_eq!((code, said.as_str()), (60, " 0 000"));
    let plain = Request::post("/v1/track", events.track("user-0", 2)).key(WRITE_KEY).send(pintle.gateway()).await;
    assert!(plain.is_err(), "{plain:?}");
    let (code, said) = curl(&pintle, &events.track("user-0", 2), &trusting).await;
    assert_eq!((code, said.ends_with(" 200")), (0, true), "{said}");
    pintle.wait_delivered("orders", 3).await;
    Ledger::of(&receiver.received()).assert_each_once_in_order("orders", 1, 3);

    pintle.stop();
    pintle.set_options(Options::new(&workspace).set("gateway", "tls-key", tls::key()));
    let said = pintle.restart_to_fail().await;
    assert!(said.contains("tls-certificate and tls-key belong together"), "{said}");
    pintle.set_options(with(Options::new(&workspace)).set("gateway", "tls-certificate", tls::key()));
    let said = pintle.restart_to_fail().await;
    assert!(said.contains("gateway: tls-certificate") && said.contains("holds no certificate"), "{said}");
}
