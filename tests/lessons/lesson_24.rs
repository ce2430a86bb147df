//! Lesson 24 beyond what it prints.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use php_sockets::*;

use crate::common;

#[test]
fn the_descriptor_is_the_same_all_the_way() {
    let (here, there) = common::pair(SOCK_STREAM);
    let number = here.as_raw_fd();

    let stream: UnixStream = socket_export_stream(here);
    assert_eq!(stream.as_raw_fd(), number);
    let back = socket_import_stream(stream).expect("a socket");

    assert_eq!(back.as_raw_fd(), number);
    socket_write(&back, "still open", None).expect("space");
    assert_eq!(socket_read(&there, 100, PHP_BINARY_READ), Ok(b"still open".to_vec()));
}

#[test]
fn a_reader_of_lines_wants_utf_8_and_has_no_bound_of_its_own() {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, b"\xff\nlong line\n", None).expect("space");
    let stream: UnixStream = socket_export_stream(there);
    let mut lines = BufReader::new(stream);

    let error = lines.read_line(&mut String::new()).expect_err("no UTF-8");
    assert_eq!(error.to_string(), "stream did not contain valid UTF-8");
    let mut line = String::new();
    lines.by_ref().take(4).read_line(&mut line).expect("UTF-8");
    assert_eq!(line, "long");
}

#[test]
fn what_is_no_socket_is_refused() {
    let file = std::fs::File::open("/dev/null").expect("a file");
    assert!(socket_import_stream(file).is_err());
}

#[test]
fn what_a_reader_has_read_ahead_is_lost_with_it() {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "one\ntwo\n", None).expect("space");
    let stream: UnixStream = socket_export_stream(there);
    let mut lines = BufReader::new(stream);
    lines.read_line(&mut String::new()).expect("UTF-8");

    let back = socket_import_stream(lines.into_inner()).expect("a socket");

    let error = socket_recv(&back, &mut Vec::new(), 100, MSG_DONTWAIT).unwrap_err();
    assert_eq!(error.code(), SOCKET_EAGAIN);
}

#[test]
fn in_php_the_stream_takes_what_the_socket_would_read_and_keeps_its_time_out_for_itself() {
    let code = r#"
        socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
        socket_write($pair[0], "one\ntwo\n");
        $stream = socket_export_stream($pair[1]);
        stream_set_timeout($stream, 10);
        echo socket_get_option($pair[1], SOL_SOCKET, SO_RCVTIMEO)['sec'], ' ', fgets($stream),
            json_encode(socket_recv($pair[1], $data, 100, MSG_DONTWAIT)), ' ', fgets($stream);"#;

    assert_eq!(common::php(code), "0 one\nfalse two\n");
}
