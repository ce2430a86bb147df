//! Plays the `demo.txt` of a lesson: starts its programs, types for them, and checks and shows who says what.
//! `make demo-10` runs it for lesson 10. The lines that a `demo.txt` may have:
//!
//! ```text
//! # text                          told to the reader
//! server: PATTERN                 the server prints this line; %d is a number, %s some characters (one at least)
//! alice connects                  starts a client
//! alice connects to localhost     the same, by this name
//! alice types: TEXT               on the client's keyboard, then Enter
//! alice types without Enter: TEXT  the next line waits until the server has read it
//! alice: PATTERN                  the client prints this line
//! alice has: TEXT                 the client has printed this, and its line is not at an end yet
//! alice hears nothing             nothing more has come until now
//! alice presses Ctrl-D            her keyboard is at its end: the client sends no more
//! alice leaves                    Ctrl-C at the client
//! alice is gone                   the client ends by itself
//! the server ends                 by itself, with success
//! the server is stopped           Ctrl-C at the server
//! ```
//!
//! Without `--server` this program is the server, and the lines below tell what it reads and says (ended by CR LF):
//!
//! ```text
//! server reads: PATTERN
//! server says: TEXT
//! server says without end: TEXT
//! server hangs up
//! ```
//!
//! With `--script` it starts nothing, and shows what the demo expects.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, mem, thread};

use canned::Canned;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
mod screen;
mod canned;

/// How long to wait for anything that a program is to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// The number of the signal that Ctrl-C sends.
const SIGINT: i32 = 2;

/// The outcome of a line of the demo: success, or the reason why not.
type Played<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// `DEMO [--script] [--server PROGRAM ARGUMENT...] [--client PROGRAM ARGUMENT...]`
fn play() -> Played {
    let mut arguments: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut option = String::new();
    // --script shows what the demo expects and starts nothing.
    let mut script = false;
    for argument in env::args_os().skip(1) {
        let argument = argument.into_string().map_err(|_| "An argument is not UTF-8")?;
        if ["--server", "--client"].contains(&argument.as_str()) {
            option = argument;
        } else if argument == "--script" {
            script = true;
        } else {
            arguments.entry(option.clone()).or_default().push(argument);
        }
    }
    let file = arguments.get("").and_then(|files| files.first()).ok_or("Which demo.txt?")?;
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;

    let mut stage = Stage {
        server: arguments.get("--server").cloned().unwrap_or_default(),
        client: arguments.get("--client").cloned().unwrap_or_default(),
        actors: BTreeMap::new(),
        port: 0,
        canned: None,
        colours: stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let played = text.lines().zip(1..).try_for_each(|(line, number)| {
        let action = Action::read(line).filter(Action::is_whole);
        let action = action.ok_or_else(|| "This is no line of a demo".to_owned());
        let done = action.and_then(|action| if script { Ok(action) } else { stage.perform(action) });
        stage.show(&done.map_err(|reason| format!("{file}:{number}: {line}\n{reason}"))?);
        Ok(())
    });
    played.and_then(|()| stage.end().map_err(|reason| format!("{file}, at its end:\n{reason}")))
}

/// One line of a demo: who, what, and the text or the pattern.
#[derive(Clone)]
struct Action {
    who: String,
    verb: &'static str,
    text: String,
}

/// After the actor's name. The first that fits counts.
const VERBS: [&str; 15] = [
    ": ",
    " connects to ",
    " connects",
    " types: ",
    " types without Enter: ",
    " has: ",
    " hears nothing",
    " presses Ctrl-D",
    " leaves",
    " is gone",
    " ends",
    " is stopped",
    " reads: ",
    " says: ",
    " says without end: ",
];

impl Action {
    fn read(line: &str) -> Option<Action> {
        if line.is_empty() || line.starts_with('#') {
            let text = line.trim_start_matches(['#', ' ']).to_owned();
            return Some(Action { who: String::new(), verb: "#", text });
        }
        let name = line.split([' ', ':']).next()?;
        let (who, rest) = match line.strip_prefix("the server") {
            Some(rest) => ("server", rest),
            None => (name, &line[name.len()..]),
        };
        let verb = VERBS
            .into_iter()
            .chain([" hangs up"])
            .find(|verb| rest.starts_with(verb) || rest == verb.trim_end())?;
        // An empty text may lack the blank before it: editors take it away.
        let text = rest.strip_prefix(verb).unwrap_or_default().to_owned();
        Some(Action { who: who.to_owned(), verb, text })
    }
}

impl Action {
    /// A verb that takes no text has none.
    fn is_whole(&self) -> bool {
        self.text.is_empty() || self.verb.ends_with([' ', '#'])
    }
}

/// A program that was started, and what it has printed that no line of the demo has asked for yet.
struct Actor {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<Vec<u8>>,
    printed: Vec<u8>,
}

struct Stage {
    server: Vec<String>,
    client: Vec<String>,
    actors: BTreeMap<String, Actor>,
    port: u16,
    canned: Option<Canned>,
    colours: bool,
}

impl Stage {
    /// Does or awaits what a line says; gives what really happened.
    fn perform(&mut self, action: Action) -> Played<Action> {
        let Action { who, verb, text } = &action;
        if verb == &"#" {
            return Ok(action);
        }
        if who == "server" && self.server.is_empty() {
            let said = self.canned()?.perform(verb, text)?;
            return Ok(Action { text: said, ..action });
        }
        if verb.starts_with(" connects") {
            let host = if text.is_empty() { "127.0.0.1" } else { text };
            if self.actors.contains_key(who) {
                return Err(format!("{who} is here already"));
            }
            let actor = Actor::start(&self.client, host, self.port)?;
            self.actors.insert(who.clone(), actor);
            return Ok(action);
        }
        if who == "server" && !self.actors.contains_key("server") {
            self.actors.insert("server".to_owned(), Actor::start(&self.server, "127.0.0.1", 0)?);
        }
        let actor = self.actors.get_mut(who).ok_or("Nobody has this name")?;
        match *verb {
            ": " => {
                let line = actor.line()?;
                if !matches(text, &line) {
                    return Err(format!("{who} printed: {line}"));
                }
                if let Some(port) =
                    line.strip_prefix("Listening on ").and_then(|name| name.rsplit(':').next())
                {
                    self.port = port.parse().map_err(|_| "No port")?;
                }
                return Ok(Action { text: line, ..action });
            }
            " has: " => actor.has(text)?,
            " hears nothing" => actor.hears_nothing()?,
            " types: " => actor.types(&format!("{text}\n"))?,
            " types without Enter: " => {
                actor.types(text)?;
                actor.rests()?;
                // The next part is to arrive by itself.
                if let Some(server) = self.actors.get("server") {
                    server.rests()?;
                }
            }
            " presses Ctrl-D" => actor.keyboard = None,
            " leaves" | " is stopped" => {
                actor.rests()?;
                actor.press_ctrl_c()?;
                let status = actor.ended()?;
                // Some programs end on Ctrl-C by themselves, in good order.
                if status.signal() != Some(SIGINT) && !status.success() {
                    return Err(format!("{who} ended with {status}"));
                }
                self.actors.remove(who);
            }
            " is gone" | " ends" => {
                let status = actor.ended()?;
                if !status.success() {
                    return Err(format!("{who} ended with {status}"));
                }
                self.actors.remove(who);
            }
            _ => return Err("This takes a demo without --server".to_owned()),
        }
        Ok(action)
    }

    fn canned(&mut self) -> Played<&mut Canned> {
        if self.canned.is_none() {
            let canned = Canned::listen().map_err(|error| error.to_string())?;
            self.port = canned.port;
            self.canned = Some(canned);
        }
        self.canned.as_mut().ok_or_else(String::new)
    }

    fn show(&self, action: &Action) {
        let Action { who, verb, text } = action;
        let colour = match (self.colours, who.as_str(), *verb) {
            (false, ..) => ["", ""],
            (true, "server", _) => ["\x1b[1;32m", "\x1b[0m"],
            (true, _, "#") => ["\x1b[1m", "\x1b[0m"],
            (true, ..) => ["\x1b[1;35m", "\x1b[0m"],
        };
        let [on, off] = colour;
        match *verb {
            "#" => println!("{on}{text}{off}"),
            ": " | " has: " => println!("{on}{who:>8}{off} | {text}"),
            " types: " | " types without Enter: " | " says: " | " says without end: " => {
                println!("{on}{who:>8}{off} > {text}");
            }
            " reads: " => println!("{on}{who:>8}{off} < {text}"),
            verb => println!("{on}{who:>8}{off} *{verb}{text}"),
        }
    }

    /// Nothing may be left that the demo does not tell.
    fn end(self) -> Played {
        if let Some(canned) = &self.canned {
            canned.end()?;
        }
        if let Some(who) = self.actors.keys().next() {
            return Err(format!("{who} is still here"));
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for actor in self.actors.values_mut() {
            let _ = actor.press_ctrl_c();
            let _ = actor.ended();
        }
    }
}

impl Actor {
    fn start(command: &[String], host: &str, port: u16) -> Played<Actor> {
        let [program, arguments @ ..] = command else { return Err("No --client was given".to_owned()) };
        let mut command = Command::new(program);
        command.args(arguments).arg(host).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let keyboard = child.stdin.take();
        let mut output = child.stdout.take().ok_or("No pipe")?;
        let (send, screen) = channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut chunk) {
                let _ = send.send(chunk[..length].to_vec());
            }
        });
        Ok(Actor { child, keyboard, screen, printed: Vec::new() })
    }

    /// Takes the next line of what the program prints.
    fn line(&mut self) -> Played<String> {
        self.until(|printed| printed.contains(&b'\n'))?;
        let length = self.printed.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let rest = self.printed.split_off(length + 1);
        let line = mem::replace(&mut self.printed, rest);
        Ok(String::from_utf8_lossy(&line[..length]).into_owned())
    }

    /// Takes `text`, which is not a whole line.
    fn has(&mut self, text: &str) -> Played {
        self.until(|printed| printed.len() >= text.len() || !text.as_bytes().starts_with(printed))?;
        if !self.printed.starts_with(text.as_bytes()) {
            return Err(self.left());
        }
        self.printed.drain(..text.len());
        Ok(())
    }

    fn hears_nothing(&mut self) -> Played {
        self.printed.extend(self.screen.try_iter().flatten());
        if self.printed.is_empty() { Ok(()) } else { Err(self.left()) }
    }

    fn until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Played {
        while !enough(&self.printed) {
            let chunk = self
                .screen
                .recv_timeout(PATIENCE)
                .map_err(|_| format!("It does not come. {}", self.left()))?;
            self.printed.extend(chunk);
        }
        Ok(())
    }

    fn left(&self) -> String {
        format!("Printed and not asked for: {:?}", String::from_utf8_lossy(&self.printed))
    }

    fn types(&mut self, text: &str) -> Played {
        let keyboard = self.keyboard.as_mut().ok_or("Its keyboard is at the end")?;
        keyboard.write_all(text.as_bytes()).map_err(|error| error.to_string())
    }

    /// Waits until each of the program's threads waits for something. Their output is no sign of that: the
    /// closing of a socket may come after.
    fn rests(&self) -> Played {
        let begin = Instant::now();
        while works(self.child.id()) {
            if begin.elapsed() > PATIENCE {
                return Err("It does not come to rest".to_owned());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// SIGINT, as the terminal sends it. `kill` is built into the shell.
    fn press_ctrl_c(&mut self) -> Played {
        if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("It has gone already, with {status}"));
        }
        let kill = format!("kill -s INT {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Waits for the end of the program, which may print nothing more; gives its exit status.
    fn ended(&mut self) -> Played<ExitStatus> {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return Err("It does not end".to_owned());
            }
            thread::sleep(Duration::from_millis(2));
        };
        // Its screen ends with it, unless it has left a child that still writes there.
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(chunk) => self.printed.extend(chunk),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err("Its screen does not end".to_owned()),
            }
        }
        if self.printed.is_empty() { Ok(status) } else { Err(self.left()) }
    }
}

/// Whether one of a process's threads runs, or would if there were a processor or a tracer for it (`proc_pid_stat(5)`). Its
/// children count as well: it may be strace, and the program its child.
fn works(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().any(|thread| {
        let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let state = read("stat").rsplit(") ").next().unwrap_or_default().starts_with(['R', 'D', 't']);
        state || read("children").split_whitespace().any(|child| child.parse().is_ok_and(works))
    })
}

/// Whether `text` is what `pattern` says: `%d` is a number, `%s` some characters.
fn matches(pattern: &str, text: &str) -> bool {
    let some = |text: &str, rest: &str, fits: fn(char) -> bool| {
        let run = text.chars().take_while(|character| fits(*character)).map(char::len_utf8);
        let mut end = 0;
        run.into_iter().any(|length| {
            end += length;
            matches(rest, &text[end..])
        })
    };
    if let Some(rest) = pattern.strip_prefix("%d") {
        return some(text.strip_prefix('-').unwrap_or(text), rest, |character| character.is_ascii_digit());
    }
    if let Some(rest) = pattern.strip_prefix("%s") {
        return some(text, rest, |_| true);
    }
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some(expected), Some(character)) if expected == character => {
            matches(&pattern[expected.len_utf8()..], &text[character.len_utf8()..])
        }
        _ => false,
    }
}
