//! Lesson 18 beyond what it prints.

use php_sockets::*;

use crate::common;
use crate::compiler::refused_as_its_readme_says;

#[test]
fn myth_the_socket_iovec_functions_exist_in_php() {
    let functions = [
        "iovec_alloc",
        "iovec_add",
        "iovec_set",
        "iovec_fetch",
        "iovec_delete",
        "iovec_free",
        "readv",
        "writev",
    ];
    let checks = functions.map(|name| format!("function_exists('socket_{name}')")).join(",");
    assert_eq!(common::php(&format!("echo json_encode(array_unique([{checks}]));")), "[false]");

    // Here they work: a part of a message is told as a part.
    let (here, there) = common::pair(SOCK_STREAM);
    let mut buffers = socket_iovec_alloc(&[4, 4, 4]).expect("memory");
    socket_write(&here, "12345", None).expect("space");
    assert_eq!(socket_readv(&there, &mut buffers), Ok(5));
    let parts: Vec<Vec<u8>> =
        (0..3).map(|at| socket_iovec_fetch(&buffers, at).expect("an element")).collect();
    assert_eq!(parts, [b"1234".to_vec(), b"5".to_vec(), Vec::new()]);
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("18-scatter-gather");
}
