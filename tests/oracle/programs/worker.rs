//! A worker that receives its listening socket from a master.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{php, rust};
use crate::common::{Running, printed, temporary};

/// The output of a master and its worker.
fn play(mut master: Command, mut worker: Command, path: &Path) -> (String, String) {
    let mut master = Running::start(master.arg("master").arg(path).stdout(Stdio::piped()));
    let mut output = BufReader::new(master.stdout.take().expect("a pipe"));
    let mut text = String::new();
    output.read_line(&mut text).expect("the first line: the master listens");

    let answer = printed(worker.arg("worker").arg(path));
    output.read_to_string(&mut text).expect("the other lines");

    assert!(master.ended(), "{text}");
    (text, answer)
}

#[test]
fn a_worker_receives_its_listening_socket_from_a_master_of_either_language() {
    let languages: [fn(&str) -> Command; 2] = [php, rust];
    let expected = (
        "master: waiting for a worker\n\
         master: sent 16 bytes and the listening socket\n\
         master: the answer is the worker\n"
            .to_owned(),
        "worker: received 16 bytes: serve one client\n\
         worker: received 1 descriptor\n\
         worker: a client asks who is there?\n"
            .to_owned(),
    );
    for (number, master) in languages.iter().enumerate() {
        for (other, worker) in languages.iter().enumerate() {
            let path = temporary::free_path();

            let printed = play(master("worker"), worker("worker"), &path);

            assert_eq!(printed, expected, "0 is PHP, 1 is Rust: master {number}, worker {other}");
        }
    }
}
