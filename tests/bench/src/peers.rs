//! The peers: which program plays which part.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One program in one role.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    program: Program,
    play: &'static str,
}

#[derive(Clone, Copy)]
enum Program {
    C(&'static str),
    Php(&'static str),
    Rust(&'static str),
}
use Program::{C, Php, Rust};

const fn peer(name: &'static str, program: Program, play: &'static str) -> Peer {
    Peer { name, program, play }
}

pub(crate) const C_NAME: &str = "C on libc";
pub(crate) const BY_HAND: &str = "Rust on libc by hand";
pub(crate) const PHP_NAME: &str = "PHP ext/sockets";
pub(crate) const LIBEVENT: &str = "libevent in C";
pub(crate) const LIBEVENT_TIMED: &str = "libevent in C, time-outs";
pub(crate) const OURS_TIMED: &str = "php-sockets, time-outs";
pub(crate) const OURS: &str = "php-sockets";
pub(crate) const OURS_REFS: &str = "php-sockets, Vec<&Socket>";
pub(crate) const OURS_PAIRS: &str = "php-sockets, Vec<(K, &Socket)>";
pub(crate) const OURS_KEPT: &str = "php-sockets, Vec<&Socket> kept";
pub(crate) const OURS_KEPT_PAIRS: &str = "php-sockets, Vec<(K, &Socket)> kept";
pub(crate) const OURS_SHARED: &str = "php-sockets, Vec<Rc<Socket>> kept";
pub(crate) const OURS_TABLE: &str = "php-sockets, Vec<(K, &Socket)> of a BTreeMap<K, Socket>";
pub(crate) const OURS_LESSON: &str = "php-sockets, the lists of lesson 13";
pub(crate) const OURS_MAP: &str = "php-sockets, BTreeMap<K, &Socket>";

/// The loops without a body: what is subtracted from a pair's instructions, in each language.
pub(crate) const EMPTY: [Peer; 3] = [
    peer(C_NAME, C("pair"), "empty"),
    peer(BY_HAND, Rust("peer-libc"), "empty"),
    peer(PHP_NAME, Php("pair"), "empty"),
];

pub(crate) const PAIR: [Peer; 8] = [
    peer(C_NAME, C("pair"), "pair"),
    peer(BY_HAND, Rust("peer-libc"), "pair"),
    peer(OURS, Rust("peer-ours"), "pair"),
    peer("rustix", Rust("peer-rustix"), "pair"),
    peer("socket2", Rust("peer-socket2"), "pair"),
    peer("nix", Rust("peer-nix"), "pair"),
    peer("std", Rust("peer-std"), "pair"),
    peer(PHP_NAME, Php("pair"), "pair"),
];

pub(crate) const SELECT: [Peer; 14] = [
    peer(C_NAME, C("select"), "select"),
    peer(BY_HAND, Rust("peer-libc"), "select"),
    peer(OURS_KEPT, Rust("peer-ours"), "select-kept"),
    peer(OURS_KEPT_PAIRS, Rust("peer-ours"), "select-kept-pairs"),
    peer(OURS_SHARED, Rust("peer-ours"), "select-rc"),
    peer(OURS_REFS, Rust("peer-ours"), "select-refs"),
    peer(OURS_PAIRS, Rust("peer-ours"), "select-pairs"),
    peer(OURS_TABLE, Rust("peer-ours"), "select-table"),
    peer(OURS_LESSON, Rust("peer-ours"), "select-lesson"),
    peer(OURS_MAP, Rust("peer-ours"), "select-map"),
    peer("rustix", Rust("peer-rustix"), "select"),
    peer("socket2 (libc's select)", Rust("peer-socket2"), "select"),
    peer("nix", Rust("peer-nix"), "select"),
    peer(PHP_NAME, Php("select"), "select"),
];

pub(crate) const LINE: [Peer; 4] = [
    peer(C_NAME, C("select"), "select"),
    peer("C that looks, then takes", C("line"), "line"),
    peer(OURS, Rust("peer-ours"), "line"),
    peer(PHP_NAME, Php("select"), "line"),
];

pub(crate) const EPOLL: [Peer; 7] = [
    peer(C_NAME, C("epoll"), "epoll"),
    peer(BY_HAND, Rust("peer-libc"), "epoll"),
    peer(OURS, Rust("peer-ours"), "epoll"),
    peer("rustix", Rust("peer-rustix"), "epoll"),
    peer("nix", Rust("peer-nix"), "epoll"),
    peer("mio", Rust("peer-mio"), "epoll"),
    peer("tokio", Rust("peer-tokio"), "epoll"),
];

/// W5, without and with a time-out of a minute for each connection, which each event pushes back.
pub(crate) const TIME_OUTS: [Peer; 4] = [
    peer(LIBEVENT, C("libevent"), "epoll"),
    peer(OURS, Rust("peer-ours"), "epoll"),
    peer(LIBEVENT_TIMED, C("libevent"), "time-outs"),
    peer(OURS_TIMED, Rust("peer-ours"), "time-outs"),
];

pub(crate) const ECHO: [Peer; 8] = [
    peer(C_NAME, C("echo"), "echo"),
    peer(BY_HAND, Rust("peer-libc"), "echo"),
    peer(OURS, Rust("peer-ours"), "echo"),
    peer("rustix", Rust("peer-rustix"), "echo"),
    peer("nix", Rust("peer-nix"), "echo"),
    peer("std", Rust("peer-std"), "echo"),
    peer("tokio", Rust("peer-tokio"), "echo"),
    peer(PHP_NAME, Php("echo"), "echo"),
];

/// The PHP to measure: the one that `PHP` in the environment names, as `make bench PHP=…` does, else `php`.
pub(crate) fn php() -> String {
    std::env::var("PHP").unwrap_or_else(|_| "php".to_owned())
}

impl Peer {
    /// The words that start it.
    pub(crate) fn words(&self, count: u64) -> Result<Vec<String>> {
        let program = match self.program {
            C(name) => built(&format!("c-{name}"))?,
            Rust(name) => built(name)?,
            Php(name) => source("php").join(name).with_extension("php"),
        };
        let mut words = vec![program.display().to_string(), self.play.to_owned(), count.to_string()];
        if matches!(self.program, Php(_)) {
            words.insert(0, php());
        }
        Ok(words)
    }

    /// The peer whose empty loop is like this one's.
    pub(crate) fn language(&self) -> &'static str {
        match self.program {
            C(_) => C_NAME,
            Rust(_) => BY_HAND,
            Php(_) => PHP_NAME,
        }
    }
}

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// A file beside this program: cargo puts the peers there, and `compile` the programs in C.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// The counter of allocations.
pub(crate) const SHIM: &str = "allocations.so";

/// Compiles the programs in C.
pub(crate) fn compile() -> Result<()> {
    for (output, file, options) in [
        ("c-pair", "pair.c", &[][..]),
        ("c-echo", "echo.c", &[]),
        ("c-select", "select.c", &[]),
        ("c-line", "select.c", &["-DLOOK"]),
        ("c-epoll", "epoll.c", &[]),
        ("c-libevent", "libevent.c", &["-Wl,--no-as-needed", "-levent"]),
        (SHIM, "allocations.c", &["-shared", "-fPIC"]),
    ] {
        let mut command = Command::new("cc");
        command.args(["-O2", "-Wall", "-Wextra", "-Werror"]).args(options);
        let status = command.arg("-o").arg(built(output)?).arg(source("c").join(file)).status()?;
        if !status.success() {
            return Err(Error::other(format!("cc could not compile {file} (libevent.c needs libevent-dev)")));
        }
    }
    Ok(())
}
