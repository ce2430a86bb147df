//! Plays one scenario: `fault-player FUNCTION PATH`. Prints as one line of JSON what came of it.

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "this program plays, the tests judge")]
mod memory;
#[allow(dead_code, reason = "this program plays, the tests judge")]
mod scenarios;
mod stage;

use stage::Stage;

/// A scenario that spins or waits in vain is ended by a signal after so many seconds.
const LIMIT: u32 = 10;

fn main() {
    let limit = libc::rlimit { rlim_cur: LIMIT.into(), rlim_max: LIMIT.into() };
    // SAFETY: `limit` outlives the call, which reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CPU, &raw const limit) }, 0);
    // SAFETY: the call takes a number.
    unsafe { libc::alarm(2 * LIMIT) };

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [function, path] = arguments.as_slice() else { panic!("FUNCTION PATH, not {arguments:?}") };
    if function == "memory" {
        return memory::play();
    }
    let scenario = scenarios::all().find(|scenario| scenario.is(function, path)).expect("a scenario");
    let stage = Stage::new();
    (scenario.play)(&stage);
    println!("{}", stage.end());
}
