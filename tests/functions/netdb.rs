//! Name databases: hosts and services; the forms of an address. Protocols are in `value.rs`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use php_sockets::*;

use crate::common;
use crate::errors::NOWHERE;

#[test]
fn an_unknown_host_comes_back_as_it_is() {
    let bytes = OsStr::from_bytes(b"not \xff UTF-8");
    for name in [OsStr::new(NOWHERE), OsStr::new(""), OsStr::new("256.1.1.1"), bytes] {
        assert_eq!(gethostbyname(name), name);
        assert_eq!(gethostbynamel(name), None);
    }
}

#[test]
fn a_name_with_a_nul_or_of_more_than_255_bytes_is_unknown() {
    let long = "a".repeat(256);
    for name in ["127.0.0.1\0", "\0", &long] {
        assert_eq!(gethostbyname(name), OsString::from(name));
        assert_eq!(gethostbynamel(name), None);
    }
    // 255 bytes are looked up: a long spelling of an address.
    let zeros = format!("127.0.0.{}1", "0".repeat(246));
    assert_eq!((zeros.len(), gethostbyname(&zeros)), (255, "127.0.0.1".into()));
    assert_eq!(gethostbyname(format!("127.0.0.{}1", "0".repeat(247))).len(), 256);

    assert_eq!(getservbyname("http\0", "tcp"), None);
    assert_eq!(getservbyname("http", "tcp\0"), None);
    assert_eq!(getservbyport(80, "tcp\0"), None);
    assert_eq!(getservbyname("h".repeat(100_000), "tcp"), None);
    assert_eq!(getservbyport(80, "t".repeat(100_000)), None);
}

#[test]
fn an_address_without_a_name_comes_back_as_it_is() {
    // Without a route to a name server no question leaves the machine.
    let unanswered = |ip| common::failing(libc::SYS_connect, SOCKET_ENETUNREACH, move || gethostbyaddr(ip));

    for ip in ["192.0.2.1", "2001:db8::1", "2001:0DB8::1"] {
        assert_eq!(unanswered(ip), Ok(ip.into()));
    }
    assert_eq!(socket_last_error(None), 0);
}

#[test]
fn texts_bytes_and_numbers_of_addresses_lead_back() {
    for ip in ["0.0.0.0", "127.0.0.1", "255.255.255.255"] {
        assert_eq!(ip2long(ip).map(long2ip).as_deref(), Some(ip));
        assert_eq!(inet_pton(ip).and_then(inet_ntop).as_deref(), Some(ip));
    }
    for ip in ["::", "::1", "fe80::1", "::ffff:127.0.0.1"] {
        assert_eq!(inet_pton(OsStr::new(ip)).and_then(inet_ntop).as_deref(), Some(ip));
        assert_eq!(ip2long(ip), None);
    }
    for no_address in ["", "127.0.0.1\0", "::1\0", "127.1", "localhost", &"1".repeat(100_000)] {
        assert_eq!((inet_pton(no_address), ip2long(no_address)), (None, None));
    }
    assert_eq!(inet_pton(OsStr::from_bytes(b"\xff")), None);
    for length in (0..40).filter(|length| ![4, 16].contains(length)) {
        assert_eq!(inet_ntop(vec![1; length]), None, "{length}");
    }
}

#[test]
fn a_service_has_a_port_for_its_protocol_only() {
    assert_eq!(getservbyname("http", "tcp"), Some(80));
    assert_eq!(getservbyname("http", "udp"), None);
    assert_eq!(getservbyname(String::from("domain"), "udp"), Some(53));
    assert_eq!(getservbyport(80, "tcp").as_deref(), Some("http"));
    assert_eq!(getservbyport(65535, "tcp"), None);
}

#[test]
fn every_database_may_be_asked_by_several_threads_at_once() {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..200 {
                    let last = (thread * 31 + round) % 250 + 1;
                    let name = format!("127.0.{thread}.{last}");
                    assert_eq!(gethostbyname(&name), name.as_str());
                    assert_eq!(gethostbynamel(&name), Some(vec![name.into()]));
                    assert!(gethostbyaddr("127.0.0.1").is_ok() && gethostname().is_ok());
                    assert_eq!(getservbyname("domain", "udp"), Some(53));
                    assert_eq!(getservbyname("http", "tcp"), Some(80));
                    assert_eq!(getservbyport(443, "tcp").as_deref(), Some("https"));
                    assert_eq!(getservbyport(123, "udp").as_deref(), Some("ntp"));
                    let found = socket_addrinfo_lookup("::1", "ftp", None).unwrap();
                    assert_eq!(socket_addrinfo_explain(&found[0]).ai_addr.port, 21);
                }
            });
        }
    });
}
