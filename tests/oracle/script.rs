//! A script of calls, played by PHP and by this crate, and what came of each call, compared.
//!
//! One call a line: `out = socket_create AF_INET SOCK_STREAM SOL_TCP`. Arguments are numbers, constants, `null`,
//! `"text"` (with `\n \r \t \0 \\ \" \xHH`, and `"x"*108` for a long one), sockets by name, `n.address` and `n.port`
//! of a name that a call gave, `path:x` and `abstract:x` for `AF_UNIX` names of this player's own (with the escapes of
//! a text, and `path:x*107` for one filled up to 107 bytes), `[a b]` and `{k:a l:b}` for arrays. Calls are PHP's, with
//! every argument written out; `drop a` lets a socket go, and so does a call whose socket is not kept.
//! `socket_set_option a LEVEL NAME number` and `socket_get_option a LEVEL NAME` are setsockopt and getsockopt, and
//! `receive_timeout a 20000` sets `SO_RCVTIMEO` in microseconds. A line that begins with `~` has an answer that depends on
//! the machine: it is compared live and not recorded (`record.rs`).

use std::collections::HashMap;
use std::ffi::{OsStr, OsString, c_int};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use php_sockets::*;
use serde_json::{Value, json};
use tempfile::{Builder, TempDir};

use crate::common;
use crate::record::{self, Line};

#[derive(Clone, Debug)]
enum Arg {
    Int(i64),
    Null,
    Text(Vec<u8>),
    Constant(String),
    Name(String),
    Address(String),
    Port(String),
    /// A path below the player's folder, and the length to fill it up to.
    Path(Vec<u8>, usize),
    Abstract(Vec<u8>, usize),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: String,
    of_machine: bool,
    call: String,
    out: Vec<String>,
    args: Vec<Arg>,
}

/// Plays a script with PHP and with Rust, and compares every step: return value, outputs, warning, exception, and both
/// error slots.
#[track_caller]
pub(crate) fn agree(script: &str) {
    compare(script, |_| ());
}

/// As [`agree`], for names that a name server is asked about: whether it answers in time is not ours to decide, so "it
/// knows no such host" and "it did not answer" are taken for the same.
#[track_caller]
pub(crate) fn agree_with_name_server(script: &str) {
    compare(script, |result| {
        for slot in ["last", "own", "value"] {
            if result[slot] == json!(-10002) {
                result[slot] = json!(-10001);
            }
        }
        if let Some(warning) = result["warning"].as_str() {
            result["warning"] =
                json!(warning.replace("[-10002]: Host name lookup failure", "[-10001]: Unknown host"));
        }
    });
}

/// As [`agree`], for a script that is made for the machine: nothing of it is recorded.
#[track_caller]
pub(crate) fn agree_here(script: &str) {
    let marked: Vec<String> = script.lines().map(|line| format!("~ {}", line.trim())).collect();
    compare(&marked.join("\n"), |_| ());
}

#[track_caller]
fn compare(script: &str, before: fn(&mut Value)) {
    let steps = steps(script);
    let mut php = play_php(&steps, common::limited(common::php_program()));
    let mut rust = play_rust(&steps);
    php.iter_mut().chain(&mut rust).for_each(before);
    let lines: Vec<Line> = steps.iter().map(Step::line).collect();
    record::compare(&lines, &php, &rust);
}

impl Step {
    fn line(&self) -> Line {
        let socket = match self.args.first() {
            Some(Arg::Name(name)) => Some(name.clone()),
            _ => None,
        };
        Line {
            text: self.line.clone(),
            outs: self.out.clone(),
            socket,
            asks: self.call == "socket_last_error",
            of_machine: self.of_machine,
        }
    }
}

/// The calls of a script.
pub(crate) fn steps(script: &str) -> Vec<Step> {
    script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "~")
        .map(parse)
        .collect()
}

fn parse(line: &str) -> Step {
    let (line, of_machine) = line.strip_prefix("~ ").map_or((line, false), |line| (line, true));
    let (out, call) = match line.split_once(" = ") {
        Some((out, call)) if !out.contains('"') => {
            (out.split_whitespace().map(str::to_owned).collect(), call)
        }
        _ => (Vec::new(), line),
    };
    let mut rest = call.trim();
    let mut words = Vec::new();
    while !rest.is_empty() {
        let end = match rest.as_bytes()[0] {
            b'"' => {
                let mut end = 1;
                while rest.as_bytes()[end] != b'"' {
                    end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                end + rest[end..].find(char::is_whitespace).unwrap_or(rest.len() - end)
            }
            b'[' => rest.find(']').expect("a closing bracket") + 1,
            b'{' => rest.find('}').expect("a closing brace") + 1,
            _ => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    let args = words[1..].iter().map(|word| argument(word)).collect();
    Step { line: line.to_owned(), of_machine, call: words[0].to_owned(), out, args }
}

fn argument(word: &str) -> Arg {
    if let Some(inner) = word.strip_prefix('[') {
        return Arg::List(inner.trim_end_matches(']').split_whitespace().map(str::to_owned).collect());
    }
    if let Some(inner) = word.strip_prefix('{') {
        let pairs = inner.trim_end_matches('}').split_whitespace();
        let pair = |pair: &str| {
            let (key, name) = pair.split_once(':').expect("key:name");
            (key.to_owned(), name.to_owned())
        };
        return Arg::Map(pairs.map(pair).collect());
    }
    if word.starts_with('"') {
        let close = word.rfind('"').expect("a closing quote");
        let times = word[close + 1..].strip_prefix('*').map_or(1, |times| times.parse().expect("a number"));
        return Arg::Text(unescape(&word[1..close]).repeat(times));
    }
    if let Ok(number) = word.parse() {
        return Arg::Int(number);
    }
    if let Some(name) = word.strip_suffix(".address") {
        return Arg::Address(name.to_owned());
    }
    if let Some(name) = word.strip_suffix(".port") {
        return Arg::Port(name.to_owned());
    }
    if let Some((kind @ ("path" | "abstract"), name)) = word.split_once(':') {
        let (name, length) = name.split_once('*').unwrap_or((name, "0"));
        let (name, length) = (unescape(name), length.parse().expect("a length"));
        return if kind == "path" { Arg::Path(name, length) } else { Arg::Abstract(name, length) };
    }
    match word {
        "null" => Arg::Null,
        _ if word.starts_with(|first: char| first.is_ascii_uppercase()) => Arg::Constant(word.to_owned()),
        _ => Arg::Name(word.to_owned()),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            _ => match rest.next().expect("an escape") {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'0' => 0,
                b'x' => {
                    let hex: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&hex).expect("ASCII"), 16).expect("two hex digits")
                }
                other => other,
            },
        });
    }
    bytes
}

/// Bytes in JSON, each as the character of its number.
fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// PHP's answers to the calls; `command` runs PHP.
pub(crate) fn play_php(steps: &[Step], mut command: Command) -> Vec<Value> {
    let folder = Folder::new();
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            let args: Vec<Value> = step
                .args
                .iter()
                .map(|arg| match arg {
                    Arg::Int(number) => json!(["int", number]),
                    Arg::Null => json!(["null", null]),
                    Arg::Text(bytes) => json!(["text", encode(bytes)]),
                    Arg::Constant(name) => json!(["constant", name]),
                    Arg::Name(name) => json!(["socket", name]),
                    Arg::Address(name) => json!(["address", name]),
                    Arg::Port(name) => json!(["port", name]),
                    Arg::Path(..) | Arg::Abstract(..) => {
                        json!(["text", encode(&folder.name(arg).expect("a name"))])
                    }
                    Arg::List(names) => json!(["list", names]),
                    Arg::Map(pairs) => json!(["map", pairs]),
                })
                .collect();
            json!({"call": step.call, "out": step.out, "args": args})
        })
        .collect();
    command.args(common::PHP_OPTIONS).arg(common::root().join("tests/oracle/driver.php"));
    let output = common::pipe(command, &json!({"steps": steps, "dir": folder.path()}).to_string());
    let text = String::from_utf8_lossy(&output.stdout);
    let results: Vec<Value> = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("PHP said: {text}{}", String::from_utf8_lossy(&output.stderr)));
    with_symbolic_ports(results)
}

/// This crate's answers to them, in a thread as fresh as PHP's process: with no last error and no `h_errno`.
///
/// The thread has its own table of descriptors. Otherwise a socket that it closes would live on, for a moment, in a
/// child that another test starts: between fork and exec a child has all descriptors of its parent.
pub(crate) fn play_rust(steps: &[Step]) -> Vec<Value> {
    let play = || {
        // SAFETY: the call takes a number; the thread has opened nothing yet that others know of.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0, "{}", io::Error::last_os_error());
        play_here(steps)
    };
    std::thread::scope(|scope| scope.spawn(play).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn play_here(steps: &[Step]) -> Vec<Value> {
    let mut player = Player {
        sockets: HashMap::new(),
        names: HashMap::new(),
        buffers: HashMap::new(),
        folder: Folder::new(),
        marks: std::env::var_os(MARKS).is_some(),
    };
    with_symbolic_ports(steps.iter().enumerate().map(|(number, step)| player.play(number, step)).collect())
}

/// With this environment variable both players ask before and after each call for a file `/step/<number>` that does
/// not exist, so that a trace of the system calls shows where the call begins and ends.
pub(crate) const MARKS: &str = "PHP_SOCKETS_MARKS";

/// The kernel chooses ports anew each time: the first one seen becomes "port 1", and so on.
fn with_symbolic_ports(mut results: Vec<Value>) -> Vec<Value> {
    let mut seen = Vec::new();
    for result in &mut results {
        let Some(port) = result.get_mut("name").and_then(|name| name.get_mut(1)) else { continue };
        if *port == json!(0) {
            continue;
        }
        let number = seen.iter().position(|known| known == port).unwrap_or_else(|| {
            seen.push(port.clone());
            seen.len() - 1
        });
        *port = json!(format!("port {}", number + 1));
    }
    results
}

/// A folder for the paths of one player. Its name always has this length: paths are filled up to one, and recorded.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(Builder::new().prefix("sockets-").rand_bytes(19).tempdir().expect("a folder"))
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("UTF-8")
    }

    /// The bytes of an `AF_UNIX` name, `None` for another argument.
    fn name(&self, arg: &Arg) -> Option<Vec<u8>> {
        let (begin, name, length) = match arg {
            Arg::Path(name, length) => ("", name, *length),
            Arg::Abstract(name, length) => ("\0", name, *length),
            _ => return None,
        };
        let mut bytes = format!("{begin}{}/", self.path()).into_bytes();
        bytes.extend(name);
        bytes.resize(bytes.len().max(length), b'x');
        Some(bytes)
    }
}

struct Player {
    sockets: HashMap<String, Socket>,
    names: HashMap<String, SocketName>,
    buffers: HashMap<String, Vec<u8>>,
    folder: Folder,
    marks: bool,
}

/// The result of one call beside its error.
#[derive(Default)]
struct Gain {
    value: Value,
    name: Option<SocketName>,
}

/// The values that a call leaves in its arguments, whether it fails or not.
#[derive(Default)]
struct Left {
    data: Option<Vec<u8>>,
    arrays: Option<Value>,
}

impl Gain {
    fn value(value: impl Into<Value>) -> Gain {
        Gain { value: value.into(), ..Gain::default() }
    }

    fn bytes(bytes: &[u8]) -> Gain {
        Gain::value(json!(["bytes", encode(bytes)]))
    }
}

impl Player {
    fn play(&mut self, number: usize, step: &Step) -> Value {
        let mut left = Left::default();
        self.mark(number);
        let result = self.call(step, &mut left);
        self.mark(number);
        let mut object = json!({"warning": null, "thrown": null, "value": false});
        match result {
            Ok(gain) => {
                object["value"] = gain.value;
                if let Some(name) = gain.name {
                    let address =
                        String::from_utf8_lossy(name.address.as_bytes()).replace(self.folder.path(), "DIR");
                    object["name"] = json!([address, name.port]);
                    if let Some(out) = step.out.first() {
                        self.names.insert(out.clone(), name);
                    }
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::Warning => object["warning"] = json!(error.to_string()),
                ErrorKind::Value => object["thrown"] = json!(error.to_string()),
                _ => {}
            },
        }
        if let Some(data) = left.data {
            object["data"] = json!(encode(&data));
        }
        if let Some(arrays) = left.arrays {
            object["arrays"] = arrays;
        }
        object["last"] = json!(socket_last_error(None));
        let own = match step.args.first() {
            Some(Arg::Name(name)) => self.sockets.get(name).map(socket_last_error),
            _ => None,
        };
        object["own"] = json!(own);
        object
    }

    fn mark(&self, number: usize) {
        if self.marks {
            let _ = std::fs::exists(format!("/step/{number}"));
        }
    }

    fn socket(&self, step: &Step, position: usize) -> &Socket {
        match &step.args[position] {
            Arg::Name(name) => &self.sockets[name],
            other => panic!("no socket: {other:?}"),
        }
    }

    fn int(&self, step: &Step, position: usize) -> i64 {
        self.int_or_null(step, position).expect("not null")
    }

    fn int_or_null(&self, step: &Step, position: usize) -> Option<i64> {
        match &step.args[position] {
            Arg::Int(number) => Some(*number),
            Arg::Constant(name) => Some(i64::from(crate::constants::value(name))),
            Arg::Port(name) => Some(i64::from(self.names[name].port)),
            Arg::Null => None,
            other => panic!("no number: {other:?}"),
        }
    }

    fn c_int(&self, step: &Step, position: usize) -> c_int {
        c_int::try_from(self.int(step, position)).expect("an int")
    }

    fn port(&self, step: &Step, position: usize) -> Option<u16> {
        self.int_or_null(step, position).map(|port| u16::try_from(port).expect("a port"))
    }

    fn bytes(&self, step: &Step, position: usize) -> Vec<u8> {
        match &step.args[position] {
            Arg::Text(bytes) => bytes.clone(),
            Arg::Address(name) => self.names[name].address.as_bytes().to_vec(),
            other => self.folder.name(other).unwrap_or_else(|| panic!("no text: {other:?}")),
        }
    }

    fn address(&self, step: &Step, position: usize) -> OsString {
        OsStr::from_bytes(&self.bytes(step, position)).to_owned()
    }

    fn keep(&mut self, step: &Step, result: Result<Socket>) -> Result<Gain> {
        let socket = result?;
        if let Some(out) = step.out.first() {
            self.sockets.insert(out.clone(), socket);
        }
        Ok(Gain::value("Socket"))
    }

    fn call(&mut self, step: &Step, left: &mut Left) -> Result<Gain> {
        let c_int = |position| self.c_int(step, position);
        let port = |position| self.port(step, position);
        let done = |result: Result<()>| result.map(|()| Gain::value(true));
        match step.call.as_str() {
            "drop" | "socket_close" => {
                let Arg::Name(name) = &step.args[0] else { panic!("no socket") };
                socket_close(self.sockets.remove(name).expect("an open socket"));
                Ok(Gain::default())
            }
            "socket_create" => {
                let result = socket_create(c_int(0), c_int(1), c_int(2));
                self.keep(step, result)
            }
            "socket_create_listen" => {
                let result = socket_create_listen(port(0).expect("a port"), c_int(1));
                self.keep(step, result)
            }
            "socket_create_pair" => {
                let (one, other) = socket_create_pair(c_int(0), c_int(1), c_int(2))?;
                self.sockets.insert(step.out[0].clone(), one);
                self.sockets.insert(step.out[1].clone(), other);
                Ok(Gain::value(true))
            }
            "socket_accept" => {
                let result = socket_accept(self.socket(step, 0));
                self.keep(step, result)
            }
            "socket_set_block" => done(socket_set_block(self.socket(step, 0))),
            "socket_set_nonblock" => done(socket_set_nonblock(self.socket(step, 0))),
            "socket_bind" => {
                let address = self.address(step, 1);
                done(socket_bind(self.socket(step, 0), address, port(2).expect("a port")))
            }
            "socket_listen" => done(socket_listen(self.socket(step, 0), c_int(1))),
            "socket_connect" => done(socket_connect(self.socket(step, 0), self.address(step, 1), port(2))),
            "socket_shutdown" => done(socket_shutdown(self.socket(step, 0), c_int(1))),
            _ => self.transfer(step, left),
        }
    }

    /// The calls that ask for names and move data.
    fn transfer(&mut self, step: &Step, left: &mut Left) -> Result<Gain> {
        let c_int = |position| self.c_int(step, position);
        let size = |position| usize::try_from(self.int(step, position)).expect("a length");
        let count = |result: Result<usize>| result.map(Gain::value);
        match step.call.as_str() {
            "socket_getsockname" => {
                let name = socket_getsockname(self.socket(step, 0))?;
                Ok(Gain { value: true.into(), name: Some(name) })
            }
            "socket_getpeername" => {
                let name = socket_getpeername(self.socket(step, 0))?;
                Ok(Gain { value: true.into(), name: Some(name) })
            }
            "socket_write" => {
                let length =
                    self.int_or_null(step, 2).map(|length| usize::try_from(length).expect("a length"));
                count(socket_write(self.socket(step, 0), self.bytes(step, 1), length))
            }
            "socket_send" => count(socket_send(self.socket(step, 0), self.bytes(step, 1), size(2), c_int(3))),
            "socket_sendto" => count(socket_sendto(
                self.socket(step, 0),
                self.bytes(step, 1),
                size(2),
                c_int(3),
                self.address(step, 4),
                self.port(step, 5),
            )),
            "socket_read" => {
                socket_read(self.socket(step, 0), size(1), c_int(2)).map(|bytes| Gain::bytes(&bytes))
            }
            "socket_recv" | "socket_recvfrom" => {
                let Arg::Name(buffer) = &step.args[1] else { panic!("no buffer") };
                let (length, flags) = (size(2), c_int(3));
                let mut bytes = self.buffers.remove(buffer).unwrap_or_default();
                let result = if step.call == "socket_recv" {
                    socket_recv(self.socket(step, 0), &mut bytes, length, flags).map(|count| (count, None))
                } else {
                    socket_recvfrom(self.socket(step, 0), &mut bytes, length, flags)
                        .map(|(count, name)| (count, Some(name)))
                };
                left.data = Some(bytes.clone());
                self.buffers.insert(buffer.clone(), bytes);
                result.map(|(count, name)| Gain { value: count.into(), name })
            }
            _ => self.other(step, left),
        }
    }

    /// The calls that wait, the errors, the databases, and options.
    fn other(&self, step: &Step, left: &mut Left) -> Result<Gain> {
        let c_int = |position| self.c_int(step, position);
        match step.call.as_str() {
            "socket_select" => self.select(step, left),
            "socket_set_option" => {
                set_option(self.socket(step, 0), c_int(1), c_int(2), &c_int(3));
                Ok(Gain::value(true))
            }
            "receive_timeout" => {
                let time = libc::timeval { tv_sec: 0, tv_usec: self.int(step, 1) };
                set_option(self.socket(step, 0), SOL_SOCKET, SO_RCVTIMEO, &time);
                Ok(Gain::value(true))
            }
            "socket_get_option" => Ok(Gain::value(int_option(self.socket(step, 0), c_int(1), c_int(2)))),
            "socket_last_error" | "socket_clear_error" => {
                let socket = match &step.args[0] {
                    Arg::Null => None,
                    _ => Some(self.socket(step, 0)),
                };
                if step.call == "socket_last_error" {
                    return Ok(Gain::value(socket_last_error(socket)));
                }
                socket_clear_error(socket);
                Ok(Gain::default())
            }
            "socket_strerror" => Ok(Gain::bytes(socket_strerror(c_int(0)).as_bytes())),
            "getprotobyname" => Ok(Gain::value(
                getprotobyname(self.address(step, 0)).map_or(json!(false), |number| json!(number)),
            )),
            "getprotobynumber" => {
                Ok(getprotobynumber(c_int(0)).map_or(Gain::value(false), |name| Gain::bytes(name.as_bytes())))
            }
            other => panic!("no such call: {other}"),
        }
    }

    fn select(&self, step: &Step, left: &mut Left) -> Result<Gain> {
        enum Array<'a> {
            None,
            List(Vec<&'a Socket>),
            Map(Vec<(String, &'a Socket)>),
        }
        fn given<'a>(array: &'a mut Array<'_>) -> Option<&'a mut dyn SocketArray> {
            match array {
                Array::None => None,
                Array::List(list) => Some(list),
                Array::Map(map) => Some(map),
            }
        }
        let mut arrays = [0, 1, 2].map(|position| match &step.args[position] {
            Arg::Null => Array::None,
            Arg::List(names) => Array::List(names.iter().map(|name| &self.sockets[name]).collect()),
            Arg::Map(pairs) => {
                Array::Map(pairs.iter().map(|(key, name)| (key.clone(), &self.sockets[name])).collect())
            }
            other => panic!("no array: {other:?}"),
        });
        let [read, write, except] = &mut arrays;
        let (seconds, microseconds) = (self.int_or_null(step, 3), self.int(step, 4));
        let count = socket_select(given(read), given(write), given(except), seconds, microseconds);

        let name = |socket: &Socket| {
            self.sockets
                .iter()
                .find(|(_, known)| *known == socket)
                .map(|(name, _)| name.clone())
                .expect("known")
        };
        let arrays: Vec<Value> = arrays
            .iter()
            .map(|array| match array {
                Array::None => Value::Null,
                Array::List(list) => list.iter().map(|socket| name(socket)).collect(),
                Array::Map(map) => {
                    map.iter().map(|(key, socket)| json!([key_value(key), name(socket)])).collect()
                }
            })
            .collect();
        left.arrays = Some(json!(arrays));
        count.map(Gain::value)
    }
}

/// `setsockopt`, which the crate does not wrap yet.
pub(crate) fn set_option<T>(socket: &Socket, level: c_int, option: c_int, value: &T) {
    let length = libc::socklen_t::try_from(size_of::<T>()).expect("a small value");
    // SAFETY: `value` is readable for `length` bytes and outlives the call, which keeps no pointer.
    let status = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), length)
    };
    assert_eq!(status, 0, "{}", io::Error::last_os_error());
}

/// `getsockopt` of an integer.
pub(crate) fn int_option(socket: &Socket, level: c_int, option: c_int) -> c_int {
    let (mut value, mut length) = (0, libc::socklen_t::try_from(size_of::<c_int>()).expect("a small value"));
    // SAFETY: `value` is writable for `length` bytes, and both outlive the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_mut(&mut value).cast(),
            &raw mut length,
        )
    };
    assert_eq!(status, 0, "{}", io::Error::last_os_error());
    value
}

/// PHP turns keys that look like numbers into numbers.
fn key_value(key: &str) -> Value {
    key.parse::<i64>().map_or(json!(key), |number| json!(number))
}
