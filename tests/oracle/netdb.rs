//! Section 7: getprotobyname and getprotobynumber; the names of hosts and the forms of an address.

use php_sockets::*;
use serde_json::json;

use crate::php;
use crate::script::agree;

#[test]
fn a_protocol_has_a_number() {
    // [V] 7: getprotobyname: false for an unknown name, and no warning
    // 7: the number; aliases of /etc/protocols work; "ip" is 0. Which aliases there are is the machine's affair.
    agree(
        r#"
        getprotobyname "ip"
        getprotobyname "icmp"
        getprotobyname "tcp"
        getprotobyname "TCP"
        getprotobyname "udp"
        getprotobyname "UDP"
        ~ getprotobyname "ipv6"
        ~ getprotobyname "ipv6-icmp"
        ~ getprotobyname "IPv6-ICMP"
        ~ getprotobyname "Tcp"
        getprotobyname "nosuch"
        getprotobyname ""
        getprotobyname "6"
        getprotobyname "tcp "
        getprotobyname "x"*5000
        "#,
    );
    // A NUL in the name is a ValueError in PHP; an `Option` has no errors, and there is no such protocol.
    assert_eq!(
        php::thrown(r#"getprotobyname("tcp\0junk")"#),
        "ValueError: getprotobyname(): Argument #1 ($protocol) must not contain any null bytes"
    );
    assert_eq!(getprotobyname("tcp\0junk"), None);
}

#[test]
fn a_number_has_a_protocol() {
    // [V] 7: getprotobynumber: false for an unknown number, and no warning
    // 7: the canonical name; 0 is "ip"
    // Which others there are is the machine's affair.
    let everywhere = [-2, -1, 0, 1, 6, 17];
    let mark = |number| if everywhere.contains(&number) { "" } else { "~ " };
    let script: Vec<String> =
        (-2..=260).map(|number| format!("{}getprotobynumber {number}", mark(number))).collect();

    agree(&script.join("\n"));
    agree("getprotobynumber 2147483647\ngetprotobynumber -2147483648");
}

#[test]
fn the_whole_database_agrees() {
    // 7: every name and alias of /etc/protocols
    let names = php::value(
        "foreach (file('/etc/protocols') as $line) {
             $words = preg_split('/\\s+/', trim(explode('#', $line)[0]), -1, PREG_SPLIT_NO_EMPTY);
             foreach ($words ? [$words[0], ...array_slice($words, 2)] : [] as $name) $numbers[$name] = getprotobyname($name);
         }
         return $numbers;",
    );

    let names = names.as_object().unwrap();
    assert!(names.len() > 50, "a database of names");
    for (name, number) in names {
        assert_eq!(json!(getprotobyname(name)), *number, "{name}");
    }
}

/// Texts that are addresses, and such as nearly are.
const TEXTS: [&str; 30] = [
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "256.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "01.2.3.4",
    "1.2.3.4.5",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4:80",
    "1.2.3.4%lo",
    "1.2.3.",
    "",
    ".",
    ":",
    "::",
    "::1",
    ":::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "::ffff:1.2.3.4",
    "::1.2.3.4",
    "::1.2.3",
    "FE80::00A1",
    "fe80::1%lo",
    "[::1]",
    "localhost",
    "a",
];

#[test]
fn an_address_has_the_same_bytes_and_the_same_number() {
    let php = php::value(&format!(
        "return array_map(fn ($ip) => [($b = inet_pton($ip)) === false ? false : array_values(unpack('C*', $b)), ip2long($ip)],
             json_decode('{}'));",
        json!(TEXTS)
    ));

    for (ip, php) in TEXTS.iter().zip(php.as_array().unwrap()) {
        let bytes = inet_pton(ip).map_or(json!(false), |bytes| json!(bytes));
        let number = ip2long(ip).map_or(json!(false), |number| json!(number));
        assert_eq!(json!([bytes, number]), *php, "{ip}");
    }
    // A NUL is a ValueError in PHP; an `Option` has no errors, and there is no such address.
    for function in ["inet_pton", "ip2long"] {
        assert_eq!(
            php::thrown(&format!(r#"{function}("127.0.0.1\0")"#)),
            format!("ValueError: {function}(): Argument #1 ($ip) must not contain any null bytes")
        );
    }
}

#[test]
fn bytes_and_numbers_have_the_same_text() {
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        state
    };
    let numbers: Vec<u32> = [0, 1, u32::MAX, 1 << 31].into_iter().chain((0..50).map(|_| random())).collect();
    // Groups of zeros, which the text of an IPv6 address shortens.
    let mut bytes: Vec<Vec<u8>> = (0..100)
        .map(|_| {
            (0..16).map(|_| random().to_be_bytes()[0]).map(|byte| if byte < 128 { 0 } else { byte }).collect()
        })
        .collect();
    bytes.extend((0..20).map(|length| vec![255; length]));
    bytes.extend(numbers.iter().map(|number| number.to_be_bytes().to_vec()));

    let php = php::value(&format!(
        "return [array_map('long2ip', json_decode('{}')), array_map(fn ($b) => inet_ntop(pack('C*', ...$b)), json_decode('{}'))];",
        json!(numbers),
        json!(bytes)
    ));

    let texts: Vec<_> =
        bytes.iter().map(|bytes| inet_ntop(bytes).map_or(json!(false), |text| json!(text))).collect();
    let of_numbers: Vec<String> = numbers.into_iter().map(long2ip).collect();
    assert_eq!(json!([of_numbers, texts]), php);
    // PHP takes the low 32 bits of any number; a `u32` has no more.
    assert_eq!(
        php::value("return [long2ip(-1), long2ip(4294967296)];"),
        json!(["255.255.255.255", "0.0.0.0"])
    );
}

#[test]
fn this_machine_has_the_same_names() {
    let php = php::value("return [gethostname(), gethostbyaddr('127.0.0.1')];");

    let host = gethostbyaddr("127.0.0.1").unwrap();
    assert_eq!(json!([gethostname().unwrap(), host.to_str()]), php);
}
