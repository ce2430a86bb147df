//! A worker that receives its listening socket from a master.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{php, rust};

/// A path that no other test has, gone with this.
struct OwnPath(PathBuf);

impl OwnPath {
    fn new(name: &str) -> OwnPath {
        let path = std::env::temp_dir().join(format!("php-sockets-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        OwnPath(path)
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a master and its worker print.
fn play(mut master: Command, mut worker: Command, path: &OwnPath) -> (String, String) {
    let mut master = master.arg("master").arg(&path.0).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut output = BufReader::new(master.stdout.take().expect("a pipe"));
    let mut text = String::new();
    output.read_line(&mut text).expect("the first line: the master listens");

    let worker = worker.arg("worker").arg(&path.0).output().expect("it runs");
    output.read_to_string(&mut text).expect("the other lines");

    assert!(master.wait().expect("it ends").success(), "{text}");
    assert!(worker.status.success(), "{}", String::from_utf8_lossy(&worker.stderr));
    (text, String::from_utf8(worker.stdout).expect("UTF-8"))
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
            let path = OwnPath::new(&format!("worker-{number}-{other}"));

            let printed = play(master("worker"), worker("worker"), &path);

            assert_eq!(printed, expected, "0 is PHP, 1 is Rust: master {number}, worker {other}");
        }
    }
}
