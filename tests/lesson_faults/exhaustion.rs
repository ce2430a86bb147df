//! Servers that have no descriptor left for the next client.

use crate::client::Client;
use crate::lessons::Lesson;
use crate::plan::Fault;
use crate::process::Process;
use crate::stage::registry::Service;

/// Those who are here are served without descriptors, and the next client is served later.
pub(crate) fn serves_without_descriptors(lesson: &Lesson, service: &Service) {
    // In a chat each line goes to the others.
    let (greeting, question, answer) = (&service.greeting, &service.request, &service.answer);
    let fault = Fault::accept(2, 3, "EMFILE");
    let mut process = Process::traced(&[&lesson.program, "127.0.0.1", "0"], Some(&fault));
    let port = process.port().expect("it listens");

    let mut alice = Client::connect(port);
    alice.hears(greeting).says(question).hears(answer);
    let mut bob = Client::connect(port);
    alice.says(question).hears(answer);
    bob.hears(greeting).says(question).hears(answer);
    process.interrupt();
    let ended = process.end();

    let who = format!("{:?} {:?}\n{}", alice.state, bob.state, ended.output);
    assert!(alice.is_served() && bob.is_served(), "{who}");
    assert!(ended.output.contains("[24]: Too many open files"), "{who}");
    assert_eq!(ended.errors, "", "{who}");
    let failed = ended.log.lines().filter(|line| line.ends_with("(INJECTED)")).count();
    assert_eq!(failed, 2, "{who}");
    // It has not asked again and again.
    assert!(ended.log.lines().count() < 300, "{who}");
}
