//! The admin API over TLS.

use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::tls;

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_the_api_speaks_tls_and_nothing_else() {
    let certificate = tls::certificate();
    let options = Options::without_file().set("admin", "tls-certificate", certificate.as_str()).set(
        "admin",
        "tls-key",
        tls::key(),
    );
    let mut pintle = Pintle::start(options).await;
    let admin = format!("https://{}", pintle.admin_address());
    let (ca, to) = (certificate.as_str(), admin.as_str());
    let with = pintle.cli(&["status", "--admin", to, "--admin-ca", ca]).await;
    assert_eq!(with.code, 0, "{with:?}");
    // A client that does not trust the certificate says nothing to whoever has it.
    let without = pintle.cli(&["status", "--admin", to]).await;
    assert!(without.code == 69 && without.err.to_lowercase().contains("certificate"), "{without:?}");
    let plain = pintle.cli(&["status"]).await;
    assert_eq!(plain.code, 69, "{plain:?}");
    // Somebody who connects and says nothing holds up nobody.
    let _silent = tokio::net::TcpStream::connect(pintle.admin_address()).await.unwrap();
    let with = pintle.cli(&["source", "put", "site", "--admin", to, "--admin-ca", ca]).await;
    assert_eq!(with.code, 0, "{with:?}");

    pintle.stop();
    pintle.set_options(Options::without_file().set("admin", "tls-key", tls::key()));
    assert!(pintle.restart_to_fail().await.contains("tls-certificate is missing"));
}
