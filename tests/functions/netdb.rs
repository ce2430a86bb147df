//! Name databases: hosts and services. Protocols are in `value.rs`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use php_sockets::*;

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
