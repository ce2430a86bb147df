//! A server under test: a program that says `Listening on ADDRESS:PORT`, in its own process.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::{self, Running, resident, ticks};

/// How long to wait for what a server is to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server, ended with the test.
pub(crate) struct Server {
    pub(crate) child: Running,
    pub(crate) printed: Receiver<String>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts a program that listens on a port of its choice, and waits until it does.
    pub(crate) fn start(command: Command) -> Server {
        Server::start_with(command, |line| line.strip_prefix("Listening on 127.0.0.1:")?.parse().ok())
    }

    /// The same for a program that says its port in other words.
    pub(crate) fn start_with(mut command: Command, port: fn(&str) -> Option<u16>) -> Server {
        let mut child = Running::start(command.stdout(Stdio::piped()));
        let printed = lines_of(BufReader::new(child.stdout.take().expect("a pipe")));
        let mut server = Server { child, printed, port: 0 };
        let line = server.line();
        server.port = port(&line).unwrap_or_else(|| panic!("no port: {line}"));
        server
    }

    pub(crate) fn connect(&self) -> Socket {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_connect(&client, "127.0.0.1", self.port).expect("a connection");
        let patience = Timeval::new(20, 0);
        socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, patience).expect("an option");
        client
    }

    /// The next line that it prints.
    pub(crate) fn line(&self) -> String {
        self.printed.recv_timeout(PATIENCE).expect("the server prints a line")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("its descriptors").count()
    }

    /// Waits until it has this many descriptors open.
    pub(crate) fn until_descriptors(&self, wanted: usize) {
        let begin = Instant::now();
        while self.descriptors() != wanted {
            assert!(begin.elapsed() < PATIENCE, "{} descriptors, not {wanted}", self.descriptors());
            std::thread::yield_now();
        }
    }

    /// The processor time that it has used, in clock ticks (hundredths of a second).
    pub(crate) fn ticks(&self) -> u64 {
        ticks(self.pid())
    }

    /// The memory that it has in use, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        resident(self.pid())
    }

    /// Waits until it ends by itself; whether with success.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.ended()
    }
}

/// Builds one of the README's servers, and gives the path of its program.
pub(crate) fn sample(name: &str) -> String {
    common::example(name).into_os_string().into_string().expect("UTF-8")
}

fn lines_of(output: BufReader<ChildStdout>) -> Receiver<String> {
    let (send, printed) = channel();
    // PHP's twins leave it to the terminal what to make of bytes that are not UTF-8.
    let lines = output.split(b'\n').map_while(Result::ok);
    let mut lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    std::thread::spawn(move || lines.try_for_each(|line| send.send(line)));
    printed
}

/// Writes all of it, however often that takes.
pub(crate) fn write_all(socket: &Socket, mut data: &[u8]) {
    while !data.is_empty() {
        let sent = socket_write(socket, data, None).expect("the other end listens");
        data = &data[sent..];
    }
}

/// Reads until a line is whole.
pub(crate) fn read_line(socket: &Socket) -> String {
    let line = socket_read(socket, 1 << 20, PHP_NORMAL_READ).expect("a line");
    String::from_utf8(line).expect("UTF-8")
}

/// Reads until the end of the stream.
pub(crate) fn read_all(socket: &Socket) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let data = socket_read(socket, 65536, PHP_BINARY_READ).expect("no error");
        if data.is_empty() {
            return all;
        }
        all.extend(data);
    }
}

/// Ends a connection with a reset instead of the end of the stream.
pub(crate) fn reset(socket: Socket) {
    socket_set_option(&socket, SOL_SOCKET, SO_LINGER, Linger::new(1, 0)).expect("an option");
    socket_close(socket);
}
