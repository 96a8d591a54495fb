//! The admin API over TLS.

use pintle_tests::folder::project_dir;
use pintle_tests::pintle::{Options, Pintle};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_the_api_speaks_tls_and_nothing_else() {
    let folder = project_dir().join("tests/admin/tls");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let options = Options::without_file().set("admin", "tls-certificate", file("certificate.pem")).set(
        "admin",
        "tls-key",
        file("key.pem"),
    );
    let mut pintle = Pintle::start(options).await;
    let admin = format!("https://{}", pintle.admin_address());
    let (ca, to) = (file("certificate.pem"), admin.as_str());
    let with = pintle.cli(&["status", "--admin", to, "--admin-ca", &ca]).await;
    assert_eq!(with.code, 0, "{with:?}");
    // A client that does not trust the certificate says nothing to whoever has it.
    let without = pintle.cli(&["status", "--admin", to]).await;
    assert!(without.code == 69 && without.err.to_lowercase().contains("certificate"), "{without:?}");
    let plain = pintle.cli(&["status"]).await;
    assert_eq!(plain.code, 69, "{plain:?}");
    // Somebody who connects and says nothing holds up nobody.
    let _silent = tokio::net::TcpStream::connect(pintle.admin_address()).await.unwrap();
    let with = pintle.cli(&["source", "put", "site", "--admin", to, "--admin-ca", &ca]).await;
    assert_eq!(with.code, 0, "{with:?}");

    pintle.stop();
    pintle.set_options(Options::without_file().set("admin", "tls-key", file("key.pem")));
    assert!(pintle.restart_to_fail().await.contains("tls-certificate is missing"));
}
