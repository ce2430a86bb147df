//! Addresses and names of sockets: how they are shown, compared and converted.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use php_sockets::*;

use crate::common;

/// A path that is not UTF-8.
const BYTES: &[u8] = b"/tmp/\xff\xfe.sock";

#[test]
fn an_address_is_shown_as_php_shows_it() {
    let (_socket, name) = common::bound(SOCK_DGRAM);

    assert_eq!(format!("{}", name.address), "127.0.0.1");
    assert_eq!(name.address.to_string(), "127.0.0.1");
    assert_eq!(format!("{:?}", name.address), "\"127.0.0.1\"");
    assert_eq!(format!("{:<11}|{:>11}", name.address, name.address), "127.0.0.1  |  127.0.0.1");
    assert_eq!(common::php("echo str_pad('127.0.0.1', 11), '|';"), format!("{:<11}|", name.address));
}

#[test]
fn an_address_of_bytes_keeps_them_and_has_no_text() {
    let address = Address::from(OsStr::from_bytes(BYTES));

    assert_eq!(address.as_bytes(), BYTES);
    assert_eq!(address.as_str(), None);
    assert_eq!(address.to_string(), String::from_utf8_lossy(BYTES));
    assert_eq!(OsString::from(address.clone()).as_bytes(), BYTES);
    assert_eq!(PathBuf::from(address).as_os_str().as_bytes(), BYTES);
}

/// Whether two are equal from both sides.
fn equal<T: ?Sized + PartialEq<Address>>(address: &Address, text: &T) -> bool
where
    Address: PartialEq<T>,
{
    let (there, back) = (address == text, text == address);
    assert_eq!(there, back);
    there
}

#[test]
fn an_address_equals_a_text_of_every_type_from_both_sides() {
    let address = Address::from("::1");
    let (string, os_string, path) = (String::from("::1"), OsString::from("::1"), PathBuf::from("::1"));

    assert!(equal(&address, "::1") && equal(&address, &"::1") && equal(&address, &string));
    assert!(
        equal(&address, OsStr::new("::1"))
            && equal(&address, &OsStr::new("::1"))
            && equal(&address, &os_string)
    );
    assert!(
        equal(&address, Path::new("::1")) && equal(&address, &Path::new("::1")) && equal(&address, &path)
    );
    assert!(address != "::" && address != "::10" && address != Address::default());
    // As PHP's strings: a path is its bytes, and a slash too many makes another.
    assert!(!equal(&Address::from("/tmp//a"), Path::new("/tmp/a")));
}

#[test]
fn an_address_goes_back_into_the_functions_and_is_data_too() {
    let (receiver, name) = common::bound(SOCK_DGRAM);
    let sender = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();

    socket_bind(&sender, &name.address, 0).unwrap();
    socket_connect(&sender, &name.address, name.port).unwrap();
    socket_write(&sender, &name.address, None).unwrap();
    socket_sendto(&sender, "x", 1, 0, gethostbyname(&name.address), name.port).unwrap();

    assert_eq!(socket_read(&receiver, 100, PHP_BINARY_READ).unwrap(), b"127.0.0.1");
    let mut message = Received::new(socket_iovec_alloc(&[1]).unwrap(), 1).unwrap();
    socket_recvmsg(&receiver, &mut message, 0).unwrap();
    let own = socket_getsockname(&sender).unwrap();
    assert_eq!(message.name(), Some(MessageName::inet(&own.address, own.port)));
    assert_eq!(gethostbynamel(own.address), Some(vec!["127.0.0.1".into()]));
}

#[test]
fn the_path_of_a_socket_is_a_path_even_if_it_is_bytes() {
    let folder = common::temporary::folder();
    let path = [folder.path().as_os_str().as_bytes(), b"/\xff"].concat();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, OsStr::from_bytes(&path), 0).unwrap();

    let address = socket_getsockname(&listener).unwrap().address;

    assert_eq!(address.as_bytes(), path);
    assert!(std::fs::exists(&address).unwrap());
    std::fs::remove_file(address).unwrap();
}

#[test]
fn an_address_is_made_of_what_has_a_text() {
    let text = "2001:db8::1";
    let ip: Ipv6Addr = text.parse().unwrap();

    let made: [Address; 12] = [
        text.into(),
        text.to_owned().into(),
        OsStr::new(text).into(),
        OsString::from(text).into(),
        Path::new(text).into(),
        PathBuf::from(text).into(),
        ip.into(),
        IpAddr::from(ip).into(),
        AsRef::<OsStr>::as_ref(&Address::from(text)).into(),
        text.as_bytes().into(),
        text.as_bytes().to_vec().into(),
        b"2001:db8::1".into(),
    ];

    for made in made {
        assert_eq!(made, text);
    }
    assert_eq!(Address::from(Ipv4Addr::LOCALHOST), "127.0.0.1");
}

#[test]
fn an_ip_address_has_the_text_that_php_gives_it() {
    for address in ["::", "::1", "::1.2.3.4", "::ffff:1.2.3.4", "2001:db8::8:800:200c:417a", "1:0:0:2::3"] {
        let php = common::php(&format!("echo inet_ntop(inet_pton('{address}'));"));

        assert_eq!(Address::from(address.parse::<IpAddr>().unwrap()), php);
    }
}

#[test]
fn an_address_of_bytes_off_the_wire_is_what_it_is_in_php() {
    let php = common::php(
        r#"$name = substr("\x0e\0php \xff" . getmypid(), 1); $s = socket_create(AF_UNIX, SOCK_STREAM, 0);
        echo bin2hex($name), ' ', (int) socket_bind($s, $name), ' ', bin2hex(inet_pton(substr("\x093127.0.0.1", 2)));"#,
    );

    let mut name = b"\0php \xff".to_vec();
    name.extend(std::process::id().to_string().bytes());
    let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&socket, Address::from(&name[..]), 0).unwrap();
    assert_eq!(Address::from(name.clone()).as_bytes(), name);
    assert_eq!(inet_pton(Address::from(&b"\x093127.0.0.1"[2..])), Some(vec![127, 0, 0, 1]));

    assert!(php.starts_with("0070687020ff") && php.ends_with(" 1 7f000001"), "{php}");
}

#[test]
fn addresses_are_keys_and_are_found_by_their_text() {
    let mut by_address = HashMap::from([(Address::from("127.0.0.1"), 1)]);

    assert_eq!(by_address.get(OsStr::new("127.0.0.1")), Some(&1));
    assert_eq!(by_address.get(&Address::from("127.0.0.2")), None);
    assert_eq!(by_address.remove(&Address::from("127.0.0.1")), Some(1));
}

#[test]
fn names_are_ordered_by_address_and_port() {
    let name = |text: &str| SocketName::from(text.parse::<SocketAddr>().unwrap());
    let names: BTreeSet<SocketName> =
        ["127.0.0.2:1", "127.0.0.1:80", "[::1]:7", "127.0.0.1:9"].map(name).into();

    let shown: Vec<String> = names.iter().map(SocketName::to_string).collect();

    assert_eq!(shown, ["127.0.0.1:9", "127.0.0.1:80", "127.0.0.2:1", "[::1]:7"]);
}

#[test]
fn a_name_becomes_an_address_of_std_and_back() {
    for text in ["127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[::1.2.3.4]:1", "[::ffff:1.2.3.4]:5"] {
        let address: SocketAddr = text.parse().unwrap();

        let name = SocketName::from(address);

        assert_eq!(name.family, if address.is_ipv4() { AF_INET } else { AF_INET6 });
        assert_eq!(SocketAddr::try_from(&name), Ok(address));
        assert_eq!(SocketAddr::try_from(name), Ok(address));
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(socket_getsockname(&Socket::from(listener)).unwrap(), address.into());
}

#[test]
fn the_scope_of_an_address_of_std_gets_lost() {
    let name = SocketName::from("[fe80::1%3]:80".parse::<SocketAddr>().unwrap());

    assert_eq!(name.to_string(), "[fe80::1]:80");
}

#[test]
fn a_name_of_another_family_or_of_no_address_is_no_address_of_std() {
    let name = |address: &str, family| {
        let mut name = SocketName::from(SocketAddr::from(([127, 0, 0, 1], 80)));
        name.address = address.into();
        name.family = family;
        name
    };

    for name in [
        name("127.0.0.1", AF_UNIX),
        name("127.0.0.1", AF_PACKET),
        name("127.0.0.1", AF_INET6),
        name("::1", AF_INET),
        name("localhost", AF_INET),
        name("", AF_INET),
    ] {
        let error = SocketAddr::try_from(&name).unwrap_err();

        assert_eq!((error.kind(), error.code()), (ErrorKind::Value, SOCKET_EINVAL), "{name:?}");
        assert_eq!(SocketAddr::try_from(name), Err(error));
    }
    assert_eq!(socket_last_error(None), 0);
}
