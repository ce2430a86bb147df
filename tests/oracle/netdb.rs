//! Section 7: getprotobyname and getprotobynumber.

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
