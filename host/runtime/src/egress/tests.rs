use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn networks(texts: &[&str]) -> Networks {
    Networks::new(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn hosts(patterns: &[&str]) -> Hosts {
    Hosts::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn addresses_that_are_not_public_are_told_from_those_that_are() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(not_public(address(text)).is_some(), "{text}");
    }
    for text in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "128.0.0.1",
        "168.63.129.17",
        "169.253.255.255",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::1",
        "2002:808:808::1",
        "2606:4700::1111",
        "2a00::1",
    ] {
        assert_eq!(not_public(address(text)), None, "{text}");
    }
}

#[test]
fn an_operator_can_allow_a_network_and_no_more_than_that() {
    let none = Networks::default();
    let local = networks(&["127.0.0.0/8", "::1", "fd00::/8"]);
    for text in ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "::1", "fd12::1"] {
        assert!(none.check(address(text)).is_err(), "{text}");
        assert_eq!(local.check(address(text)), Ok(()), "{text}");
    }
    for text in ["10.0.0.1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "::ffff:10.0.0.1"] {
        assert!(local.check(address(text)).is_err(), "{text}");
    }
    assert!(networks(&["0.0.0.0/0"]).check(address("10.0.0.1")).is_ok());
    assert!(networks(&["0.0.0.0/0"]).check(address("fe80::1")).is_err());
    assert!(networks(&["::/0"]).check(address("fe80::1")).is_ok());
    let refusal = none.check(address("::ffff:10.0.0.1")).unwrap_err().to_string();
    assert!(refusal.contains("a private address") && refusal.contains("egress-allow"), "{refusal}");
}

#[test]
fn a_text_that_is_no_network_is_refused_with_an_example() {
    for text in ["", "localhost", "10.0.0.0/33", "::1/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1"] {
        let error = text.parse::<Network>().unwrap_err().to_string();
        assert!(error.contains("127.0.0.0/8"), "{error}");
    }
    assert_eq!("10.1.2.3".parse::<Network>().unwrap().to_string(), "10.1.2.3/32");
    assert_eq!(" fd00::/8".parse::<Network>().unwrap().to_string(), "fd00::/8");
}

#[test]
fn hosts_are_met_by_name_and_by_what_they_end_with() {
    let list = hosts(&["api.example.com", "*.Example.org", "[::1]"]);
    for host in ["api.example.com", "API.EXAMPLE.COM.", "a.example.org", "a.b.example.org", "[::1]"] {
        assert_eq!(list.check(host, 443), Ok(()), "{host}");
    }
    for host in ["example.com", "xapi.example.com", "example.org", "evilexample.org", "api.example.com.evil.net", ""] {
        assert!(list.check(host, 443).is_err(), "{host}");
    }
    assert_eq!(hosts(&["*"]).check("anything.at.all", 1), Ok(()));
    let refusal = list.check("evil.net", 443).unwrap_err().to_string();
    assert!(refusal.contains("`evil.net`") && refusal.contains("api.example.com, *.example.org"), "{refusal}");
    assert!(hosts(&[]).check("a.example", 443).unwrap_err().to_string().contains("none"));
}

#[test]
fn with_a_port_only_that_one_is_met() {
    let list = hosts(&["api.example.com:8443", "[::1]:80", "*.example.org"]);
    for (host, port) in [("api.example.com", 8443), ("[::1]", 80), ("a.example.org", 1)] {
        assert_eq!(list.check(host, port), Ok(()), "{host}:{port}");
    }
    assert!(list.check("[::1]", 81).is_err());
    let refusal = list.check("api.example.com", 443).unwrap_err().to_string();
    assert!(refusal.contains("`api.example.com:443`") && refusal.contains("api.example.com:8443"), "{refusal}");
}

#[test]
fn a_pattern_that_no_host_could_meet_is_refused() {
    for pattern in ["", "*.", "https://a.example", "a.example:x", "a.example/x", "*a.example", "a.*.example", "::1"] {
        assert!(Hosts::new(&[pattern.to_owned()]).is_err(), "{pattern}");
    }
}
