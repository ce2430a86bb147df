//! The usual slips of a program that comes from PHP: the compiler says what to write instead.

use super::unused::compiler::{compiler_explains, compiler_says};

/// A line, and what the compiler has to say to it.
const SLIPS: [(&str, &[&str]); 30] = [
    // A port of another type.
    ("socket_connect(socket, address, number)?;", PORT),
    ("socket_connect(socket, address, Some(number))?;", &["a port is a `u16` or `None`, not `Option<i32>`"]),
    (
        "socket_connect(socket, address, \"80\")?;",
        &["a port is a `u16` or `None`, not `&str`", "parse::<u16>()"],
    ),
    ("socket_sendto(socket, \"x\", 1, 0, address, number)?;", PORT),
    ("socket_bind(socket, address, number)?;", &["expected `u16`, found `i32`"]),
    ("socket_create_listen(number, 1)?;", &["expected `u16`, found `i32`"]),
    // Seconds with a fraction, or of another type.
    (
        "socket_select(Some(read), None, None, 0.5, 0)?;",
        &["the seconds are an `i64` or `None`, not `{float}`", "1.5 seconds are `1, 500_000`"],
    ),
    (
        "socket_select(Some(read), None, None, number, 0)?;",
        &["the seconds are an `i64` or `None`, not `i32`", "`i64::from(seconds)`"],
    ),
    (
        "event.add(0.5)?;",
        &["a time is a `Duration` or `None`, not `{float}`", "Duration::from_secs_f64(0.5)"],
    ),
    ("event.add(number)?;", &["a time is a `Duration` or `None`, not `i32`", "Duration::from_secs(5)"]),
    ("base.exit(1.5);", &["a time is a `Duration` or `None`, not `{float}`", "Duration::from_secs_f64(0.5)"]),
    // PHP's empty array, and arrays of something else.
    ("socket_select(Some(read), Some(&mut []), None, 1, 0)?;", EMPTY),
    ("socket_select(Some(read), Some(&mut [socket]), None, 1, 0)?;", EMPTY),
    (
        "let mut write = Vec::new();\nsocket_select(Some(read), Some(&mut write), None, 1, 0)?;",
        &["type annotations needed", "SocketArray"],
    ),
    ("socket_select(Some(owned), None, None, 1, 0)?;", OWNED),
    (
        "socket_select(Some(owned_by_key), None, None, 1, 0)?;",
        &[
            "`socket_select` takes lists and maps of references to sockets, not `Vec<(u64, ",
            "collect references with keys by `clients.iter().map(|(key, socket)| (*key, socket))",
        ],
    ),
    ("socket_select(Some(owned_in_map), None, None, 1, 0)?;", OWNED),
    (
        "socket_select(Some(&mut vec![7]), None, None, 1, 0)?;",
        &["`Rc<Socket>` or `Arc<Socket>`, not `{integer}`", "PHP's empty array is `None`"],
    ),
    // An option's value of another type: a number, PHP's arrays, a fraction.
    (
        "socket_set_option(socket, SOL_SOCKET, SO_SNDBUF, count)?;",
        &["the value of an option is an `i32`, a text or a struct, not `usize`", "`i32::try_from(number)`"],
    ),
    ("socket_setopt(socket, SOL_SOCKET, SO_SNDBUF, 65536_u64)?;", &["a text or a struct, not `u64`"]),
    ("socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, [1, 0])?;", OPTION),
    ("socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, (1, 0))?;", OPTION),
    ("socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, 1.5)?;", OPTION),
    ("socket_setopt(socket, SOL_SOCKET, SO_LINGER, [(\"l_onoff\", 1), (\"l_linger\", 0)])?;", OPTION),
    ("socket_set_option(socket, SOL_SOCKET, SO_REUSEADDR, Some(1))?;", OPTION),
    ("socket_set_option(socket, SOL_SOCKET, SO_REUSEADDR, ())?;", OPTION),
    // A socket by value, or another reference.
    ("socket_last_error(shared);", &["a socket is given by reference here, or it is `None`", "&shared"]),
    ("socket_clear_error(shared);", &["a socket is given by reference here, or it is `None`", "&shared"]),
    ("socket_last_error(&number);", &["this is `&i32`", "write `&socket`, or `None`"]),
    // A path is bytes, so an address is no `str`.
    ("let text: &str = name.address.as_ref();", &["`AsRef<str>`", "`Address`"]),
];

const PORT: &[&str] =
    &["a port is a `u16` or `None`, not `i32`", "convert a number with `u16::try_from(number)`"];

const OPTION: &[&str] = &[
    "the value of an option is an `i32`, a text or a struct, not `",
    "a time as `Timeval::new(sec, usec)` or a `Duration`, SO_LINGER as `Linger::new(onoff, seconds)`",
];

const EMPTY: &[&str] = &[
    "`socket_select` takes lists and maps of references to sockets, not `[",
    "PHP's empty array is `None`: `socket_select(Some(&mut read), None, None, 0, 0)`",
];

const OWNED: &[&str] = &[
    "`socket_select` borrows sockets: it takes `&Socket`, `Rc<Socket>` or `Arc<Socket>`, not `",
    "collect references instead: `sockets.iter().collect::<Vec<&Socket>>()`",
];

fn program(line: &str) -> String {
    format!(
        "#![allow(dead_code, unused_imports, unused_variables, unused_must_use)]
         use std::collections::HashMap;
         use std::rc::Rc;
         use std::time::Duration;
         use php_sockets::event::{{Event, EventBase}};
         use php_sockets::*;
         fn f(socket: &Socket, address: &str, number: i32, shared: Rc<Socket>, name: SocketName,
              read: &mut Vec<&Socket>, owned: &mut Vec<Socket>, owned_by_key: &mut Vec<(u64, Socket)>,
              owned_in_map: &mut HashMap<u64, Socket>, count: usize, base: &EventBase, event: &Event) -> Result<()> {{
             {line}
             Ok(())
         }}
         fn main() {{}}"
    )
}

#[test]
fn the_compiler_says_what_to_write_and_names_nothing_private() {
    for (line, said) in SLIPS {
        let complaint = compiler_explains(&program(line));

        for said in said {
            assert!(complaint.contains(said), "{line}: {said}\n{complaint}");
        }
        assert!(!complaint.contains("sealed"), "{line}\n{complaint}");
        assert!(!complaint.contains("Into<OptionValue>"), "{line}\n{complaint}");
    }
}

#[test]
fn what_the_compiler_says_to_write_compiles() {
    for line in [
        "if let Ok(port) = u16::try_from(number) { socket_connect(socket, address, port)?; }",
        "if let Ok(port) = \"80\".parse::<u16>() { socket_sendto(socket, \"x\", 1, 0, address, port)?; }",
        "socket_connect(socket, address, 80)?; socket_connect(socket, address, None)?;",
        "socket_connect(socket, address, Some(80))?;",
        "socket_select(Some(read), None, None, 1, 500_000)?;",
        "socket_select(Some(read), None, None, None, 0)?;",
        "socket_select(Some(read), None, None, i64::from(number), 0)?;",
        "let clients = owned_by_key;
         let mut read = clients.iter().map(|(key, socket)| (*key, socket)).collect::<Vec<_>>();
         socket_select(Some(&mut read), None, None, 1, 0)?;",
        "let sockets = owned; socket_select(Some(&mut sockets.iter().collect::<Vec<&Socket>>()), None, None, 1, 0)?;",
        "event.add(Duration::from_secs_f64(0.5))?; event.add(Duration::from_secs(5))?; event.add(None)?;",
        "base.exit(Duration::from_secs_f64(1.5)); base.exit(None);",
        "socket_last_error(&shared); socket_clear_error(socket); socket_last_error(None);",
        "let text: Option<&str> = name.address.as_str();",
        "if let Ok(number) = i32::try_from(count) { socket_set_option(socket, 1, SO_SNDBUF, number)?; }",
        "for value in [Timeval::new(1, 0), Timeval::from(Duration::from_secs(1))] {
             socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, value)?;
         }
         socket_setopt(socket, SOL_SOCKET, SO_LINGER, Linger::new(1, 0))?;",
        // All that converts into a value, other people's types too.
        "struct Seconds(u64);
         impl From<Seconds> for OptionValue {
             fn from(time: Seconds) -> Self { Duration::from_secs(time.0).into() }
         }
         fn set(socket: &Socket, value: impl Into<OptionValue>) -> Result<()> {
             socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, value)
         }
         set(socket, Seconds(5))?; set(socket, Duration::ZERO)?;
         socket_set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)?; socket_setopt(socket, 6, 1, true)?;
         socket_set_option(socket, SOL_SOCKET, SO_BINDTODEVICE, name.address.clone())?;
         socket_set_option(socket, SOL_SOCKET, SO_BINDTODEVICE, String::new())?;
         socket_set_option(socket, SOL_SOCKET, SO_BINDTODEVICE, \"lo\")?;
         socket_set_option(socket, SOL_SOCKET, SO_REUSEADDR, OptionValue::Int(1))?;",
    ] {
        assert_eq!(compiler_says(&program(line)), "", "{line}");
    }
}
