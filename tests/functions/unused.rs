//! Values that must not be dropped where they are made: the compiler says so.

#[path = "../lessons/compiler.rs"]
#[allow(dead_code, reason = "the lessons' tests use the rest")]
pub(crate) mod compiler;

use self::compiler::compiler_says;

/// Each of these lines undoes what it does, or does nothing.
const LINES: [&str; 13] = [
    "socket_create(AF_INET, SOCK_STREAM, 0)?;",
    "socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;",
    "socket_create_listen(0, 1)?;",
    "socket_accept(socket)?;",
    "socket_import_stream(stream)?;",
    "socket_addrinfo_connect(info)?;",
    "socket_addrinfo_bind(info)?;",
    "Socket::from(fd);",
    "socket_iovec_alloc(&[1])?;",
    "Received::new(iovec, 1)?;",
    "received.take_rights();",
    "Group::new(\"239.1.2.3\", 1);",
    "Source::new(\"239.1.2.3\", \"127.0.0.1\", 1);",
];

#[test]
fn the_compiler_finds_a_value_whose_drop_undoes_the_call() {
    let program = |line: &str| {
        format!(
            "#![deny(unused_must_use)]
             #![allow(dead_code, unused_variables)]
             use php_sockets::*;
             fn f(socket: &Socket, stream: std::net::TcpStream, info: &AddressInfo, fd: std::os::fd::OwnedFd,
                  iovec: IoVec, received: &mut Received) -> Result<()> {{
                 {line}
                 Ok(())
             }}
             fn main() {{}}"
        )
    };
    for line in LINES {
        let complaint = compiler_says(&program(line));

        assert!(complaint.contains(": error: unused "), "{line}\n{complaint}");
        assert_eq!(
            compiler_says(&program(&format!("let value = {line}"))),
            "",
            "{line}: used, it is no mistake"
        );
    }
}
