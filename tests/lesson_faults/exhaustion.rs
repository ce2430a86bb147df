//! Servers that have no descriptor left for the next client.

use crate::client::Client;
use crate::lessons::{HEAD, LESSONS, PICTURE, WELCOME};
use crate::plan::Fault;
use crate::process::Process;

#[test]
fn without_descriptors_those_who_are_here_are_served_and_who_waits_is_served_later() {
    for lesson in LESSONS {
        let (greeting, question, answer) = match lesson.number {
            "12" => ("", "hey\n", "OK ... hey\n"),
            "13" => (WELCOME, "hey\n", "OK ... hey\n"),
            // What one says the others hear.
            "15" => ("Welcome, client %d. Here with you: %d.\n", "hey\n", ""),
            "22" => ("", HEAD, PICTURE),
            _ => continue,
        };
        let fault = Fault::accept(2, 3, "EMFILE");
        let mut process = Process::traced(&[lesson.program, "127.0.0.1", "0"], Some(&fault));
        let port = process.port().expect("it listens");

        let mut alice = Client::connect(port);
        alice.hears(greeting).says(question).hears(answer);
        let mut bob = Client::connect(port);
        alice.says(question).hears(answer);
        bob.hears(greeting).says(question).hears(answer);
        process.interrupt();
        let ended = process.end();

        let who = format!("lesson {}: {:?} {:?}\n{}", lesson.number, alice.state, bob.state, ended.output);
        assert!(alice.is_served() && bob.is_served(), "{who}");
        assert!(ended.output.contains("[24]: Too many open files"), "{who}");
        assert_eq!(ended.errors, "", "{who}");
        let failed = ended.log.lines().filter(|line| line.ends_with("(INJECTED)")).count();
        assert_eq!(failed, 2, "{who}");
        // It has not asked again and again.
        assert!(ended.log.lines().count() < 300, "{who}");
    }
}
