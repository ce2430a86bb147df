//! Lesson 03 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn myth_one_write_is_one_read() {
    let (client, server) = common::connection();
    let mut seen = Vec::new();

    // Two writes, one read.
    socket_write(&client, "one, ", None).expect("space");
    socket_write(&client, "two", None).expect("space");
    socket_recv(&server, &mut seen, 8, MSG_PEEK | MSG_WAITALL).expect("all of it has come");
    assert_eq!(socket_read(&server, 1024, PHP_BINARY_READ).expect("data"), b"one, two");

    // One write, two reads.
    socket_write(&server, "three, and four", None).expect("space");
    assert_eq!(socket_read(&client, 9, PHP_BINARY_READ).expect("data"), b"three, an");
    assert_eq!(socket_read(&client, 1024, PHP_BINARY_READ).expect("data"), b"d four");

    // PHP is no different.
    let said = common::php(
        "$listener = socket_create_listen(0);
         socket_getsockname($listener, $address, $port);
         $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
         socket_connect($client, '127.0.0.1', $port);
         $server = socket_accept($listener);
         socket_write($client, 'one, ');
         socket_write($client, 'two');
         socket_recv($server, $seen, 8, MSG_PEEK | MSG_WAITALL);
         $reads = [socket_read($server, 1024)];
         socket_write($server, 'three, and four');
         $reads[] = socket_read($client, 9);
         $reads[] = socket_read($client, 1024);
         echo json_encode($reads);",
    );
    assert_eq!(said, r#"["one, two","three, an","d four"]"#);
}
