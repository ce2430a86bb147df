//! Text from others on the screen: cut between characters, and nothing in it that a terminal obeys.

use std::process::{Command, Stdio};

use php_sockets::*;

use crate::common;
use crate::stage::server::{Server, read_all, read_line, write_all};
use crate::stage::twin::twins_of;

#[path = "../../lessons/text.rs"]
mod shared;

/// Turns the order of letters, ends a line, hides: a `?` each. The joiner of the emoji stays.
const KIN: &str = "a\u{202e}b\u{2066}c\u{200f}d\u{61c}e\u{2028}f\u{2029}g\u{200b}h\u{feff}i\u{85}j\u{2069}k\u{e0041}l\u{e0001}m\u{3164}\
     n\u{1d173}o\u{1bca0}p\u{13430}👩\u{200d}🚀";
const KIN_SHOWN: &str = "a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?👩\u{200d}🚀";

type Shows = fn(&Server, &[u8]) -> Vec<String>;

/// The lessons that listen, how many bytes they take for a line, and what they show of what a client says.
const LISTENERS: [(&str, usize, Shows); 3] =
    [("04", 1024, greeting_server), ("06", 1024, reverse_server), ("15", 1024, chat)];

fn says(server: &Server, data: &[u8]) {
    let client = server.connect();
    write_all(&client, data);
    socket_shutdown(&client, SHUT_WR).expect("a connection");
    read_all(&client);
}

fn greeting_server(server: &Server, data: &[u8]) -> Vec<String> {
    says(server, data);
    let line = std::iter::from_fn(|| Some(server.line())).find(|line| line.starts_with("client 1 says: "));
    vec![line.expect("a line")["client 1 says: ".len()..].to_owned()]
}

fn reverse_server(server: &Server, data: &[u8]) -> Vec<String> {
    says(server, data);
    let lines = std::iter::from_fn(|| Some(server.line())).skip_while(|line| line != "client 1: has come");
    let lines = lines.skip(1).take_while(|line| line != "client 1: has gone");
    lines.map(|line| line["client 1: ".len()..].to_owned()).collect()
}

fn chat(server: &Server, data: &[u8]) -> Vec<String> {
    let alice = server.connect();
    read_line(&alice);
    let bob = server.connect();
    read_line(&bob);
    write_all(&alice, data);
    socket_shutdown(&alice, SHUT_WR).expect("a connection");
    let lines = std::iter::from_fn(|| Some(read_line(&bob)[11..].to_owned()));
    let lines = lines.take_while(|line| line != "client 1 has gone\n");
    lines.map(|line| line["client 1: ".len()..].trim_end_matches('\n').to_owned()).collect()
}

/// The text that lesson 05 shows of what its server says.
fn greeting_client(mut command: Command, data: &[u8]) -> Vec<String> {
    let (listener, port) = common::listener();
    let client =
        common::Running::start(command.args(["127.0.0.1", &port.to_string()]).stdout(Stdio::piped()));
    let peer = socket_accept(&listener).expect("it connects");
    write_all(&peer, data);
    socket_shutdown(&peer, SHUT_WR).expect("a connection");
    read_all(&peer);
    let output = client.wait_with_output();
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().filter_map(|line| line.strip_prefix("received: ")).map(str::to_owned).collect()
}

/// Compares what all these lessons, and their twins, show of a line; the line depends on their limit.
fn show(line: impl Fn(usize) -> (Vec<u8>, Vec<String>)) {
    for (number, limit, shows) in LISTENERS {
        let (data, mut expected) = line(limit);
        if number == "04" {
            // It takes one line and no more.
            expected.truncate(1);
        }
        for twin in twins_of(number) {
            assert_eq!(shows(&twin.start(), &data), expected, "lesson {number} in {:?}", twin.twin);
        }
    }
    let (data, expected) = line(8192);
    for twin in twins_of("05") {
        let client = twin.command(&[]);
        assert_eq!(greeting_client(client, &data), expected, "lesson 05");
    }
}

#[test]
fn a_limit_cuts_between_characters() {
    for (character, before) in [("é", 1), ("€", 1), ("€", 2), ("😀", 1), ("😀", 2), ("😀", 3)] {
        show(|limit| {
            let begin = "x".repeat(limit - before);
            (format!("{begin}{character}y\n").into_bytes(), vec![begin, format!("{character}y")])
        });
    }
}

#[test]
fn characters_that_turn_or_hide_others_are_control_characters_too() {
    show(|_| (format!("{KIN}\n").into_bytes(), vec![KIN_SHOWN.to_owned()]));
}

#[test]
fn another_encoding_is_shown_as_what_it_is_not() {
    // Two characters in GBK.
    show(|_| (b"\xc4\xe3\xba\xc3\n".to_vec(), vec!["\u{fffd}\u{fffd}\u{fffd}".to_owned()]));
}

#[test]
fn the_shared_files_of_the_two_languages_say_the_same() {
    let mut texts = vec![KIN.as_bytes().to_vec(), b"\x1b[2J\xc2\x9b31m \x9b \xff\t\n\r\0".to_vec()];
    // Every beginning of characters of each length, at the end and before another one.
    for character in ["é", "\u{7ff}", "\u{800}", "€", "\u{d7ff}", "\u{ffff}", "\u{10000}", "😀", "\u{10ffff}"]
    {
        for end in 1..=character.len() {
            texts.push(character.as_bytes()[..end].to_vec());
            texts.push([&character.as_bytes()[..end], b"x"].concat());
            texts.push([b"x", &character.as_bytes()[..end], "é".as_bytes()].concat());
        }
    }
    let list: Vec<String> = texts.iter().map(|text| format!("{:?}", hex(text))).collect();
    let file = common::root().join("lessons/text.php");
    let php = common::php(&format!(
        "require '{}'; foreach ([{}] as $hex) {{ $text = hex2bin($hex);
         echo bin2hex(harmless($text)), ' ', whole($text), \"\\n\"; }}",
        file.display(),
        list.join(", ")
    ));

    let rust: Vec<String> = texts
        .iter()
        .map(|text| format!("{} {}", hex(shared::harmless(text).as_bytes()), shared::whole(text)))
        .collect();
    assert_eq!(php.lines().collect::<Vec<_>>(), rust);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |all, byte| all + &format!("{byte:02x}"))
}
