//! Lesson 09 beyond its demo.

use php_sockets::*;

use crate::common;
use crate::server::{Server, read_all, reset};

fn servers() -> [Server; 2] {
    [Server::rust(env!("CARGO_BIN_EXE_lesson-09")), Server::php("09-who-is-calling")]
}

#[test]
fn each_end_is_told_its_name() {
    for mut server in servers() {
        let client = server.connect();
        let own = socket_getsockname(&client).expect("a name");

        let answer = String::from_utf8(read_all(&client)).expect("UTF-8");

        assert_eq!(answer, format!("You are {own}\nYou have called 127.0.0.1:{}\n", server.port));
        server.line();
        assert_eq!(server.line(), format!("Called by {own}"));
        assert!(server.ended());
    }
}

#[test]
fn callers_that_vanish_before_they_are_told_do_not_end_it_with_an_error() {
    for mut server in servers() {
        // Some vanish in the queue, some later; one may be told before it vanishes, and then the server has done its work.
        for _ in 0..20 {
            let caller = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
            if socket_connect(&caller, "127.0.0.1", server.port).is_err() {
                break;
            }
            reset(caller);
        }
        let last = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        let _ = socket_connect(&last, "127.0.0.1", server.port);

        assert!(server.ended());
    }
}

#[test]
fn it_says_which_address_was_called_when_it_listens_on_all() {
    for (program, script) in
        [(env!("CARGO_BIN_EXE_lesson-09"), None), ("php", Some("lessons/09-who-is-calling/main.php"))]
    {
        let mut command = common::limited(program);
        command.args(script.map(|script| common::root().join(script))).args(["0.0.0.0", "0"]);
        let server =
            Server::start_with(command, |line| line.strip_prefix("Listening on 0.0.0.0:")?.parse().ok());

        let answer = String::from_utf8(read_all(&server.connect())).expect("UTF-8");

        assert!(answer.ends_with(&format!("You have called 127.0.0.1:{}\n", server.port)), "{answer}");
    }
}
