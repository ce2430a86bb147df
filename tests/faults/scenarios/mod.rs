//! The scenarios, and the result of each fault: the table behind all of these tests.

use std::ffi::c_int;

use crate::stage::Stage;

mod addrinfo;
pub(crate) mod bind;
mod connection;
mod create;
mod datagram;
mod event;
mod event_loop;
mod iovec;
mod line;
mod message;
mod netdb;
mod options;
mod select;
mod silent;
mod std_streams;
mod transfer;

/// One way through a public function.
pub(crate) struct Scenario {
    pub(crate) function: &'static str,
    pub(crate) path: &'static str,
    pub(crate) play: fn(&Stage),
    /// The result of a fault of each system call. The first rule that fits is the one.
    pub(crate) rules: &'static [Rule],
    pub(crate) short: Short,
}

/// The result of a transfer of fewer bytes than asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Short {
    /// It transfers nothing on a stream.
    Never,
    /// It succeeds with fewer bytes.
    Part,
    /// It goes on until it has all.
    Whole,
}

#[derive(Debug)]
pub(crate) struct Rule {
    /// The system call, by its name on x86-64.
    pub(crate) call: &'static str,
    /// Which call of this name, from 1 on; 0 is each.
    pub(crate) nth: usize,
    /// Only these codes; none are all.
    pub(crate) codes: &'static [c_int],
    pub(crate) then: Then,
    /// How many descriptors the function keeps for the next time although it fails.
    pub(crate) held: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Then {
    /// As if nothing had happened.
    Same,
    /// PHP's warning with the code, remembered by the thread and by the socket.
    Both(&'static str),
    /// The same, remembered by the thread only.
    Thread(&'static str),
    /// The same, and it warns also of what others keep quiet about.
    Loud(&'static str),
    /// The same, remembered nowhere.
    Coded(&'static str),
    /// The same with another code than the injected one.
    CodedAs(&'static str, c_int),
    /// A warning that leaves its code out, remembered nowhere. The code is the injected one, or this one.
    Unsaid(&'static str, Option<c_int>),
    /// A warning, remembered nowhere, in which `{code}` is the code.
    Plain(&'static str),
    /// A sentence with this kind, remembered nowhere.
    Value(&'static str),
    /// As if nothing had happened, or the resolver's failure with one of its codes, remembered in both slots.
    Lookup(&'static str),
    /// As if nothing had happened, or a silent failure with one of the resolver's reasons.
    Reason(&'static str),
    /// As if nothing had happened, or this value.
    Or(&'static str),
}

impl Scenario {
    pub(crate) fn is(&self, function: &str, path: &str) -> bool {
        (self.function, self.path) == (function, path)
    }

    pub(crate) fn asks_the_resolver(&self) -> bool {
        self.rules.iter().any(|rule| rule.call == RESOLVER)
    }

    pub(crate) const fn new(
        function: &'static str,
        path: &'static str,
        play: fn(&Stage),
        rules: &'static [Rule],
    ) -> Scenario {
        Scenario { function, path, play, rules, short: Short::Never }
    }

    pub(crate) const fn short(self, short: Short) -> Scenario {
        Scenario { short, ..self }
    }
}

/// The result of a fault of `call`.
pub(crate) const fn on(call: &'static str, then: Then) -> Rule {
    Rule { call, nth: 0, codes: &[], then, held: 0 }
}

impl Rule {
    pub(crate) const fn nth(self, nth: usize) -> Rule {
        Rule { nth, ..self }
    }

    pub(crate) const fn holding(self, held: i64) -> Rule {
        Rule { held, ..self }
    }

    pub(crate) const fn only(self, codes: &'static [c_int]) -> Rule {
        Rule { codes, ..self }
    }
}

/// In a rule: any call, for what the C library does to look a name up. A fault of any of them may hide the name.
pub(crate) const RESOLVER: &str = "the resolver's";

pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        create::SCENARIOS,
        bind::SCENARIOS,
        connection::SCENARIOS,
        transfer::SCENARIOS,
        line::SCENARIOS,
        datagram::SCENARIOS,
        iovec::SCENARIOS,
        message::SCENARIOS,
        select::SCENARIOS,
        options::SCENARIOS,
        addrinfo::SCENARIOS,
        std_streams::SCENARIOS,
        netdb::SCENARIOS,
        silent::SCENARIOS,
        event::SCENARIOS,
        event_loop::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}
