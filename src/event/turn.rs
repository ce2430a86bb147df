//! One run of a base's loop, which ends as it should also when a callback panics.

use std::ffi::c_int;

use super::state::Todo;
use super::{Error, EventBase, Result, Site};

/// The base is running while this lives.
pub(super) struct Turn<'a> {
    base: &'a EventBase,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(base: &'a EventBase, flags: c_int) -> Result<Turn<'a>> {
        let mut state = base.state();
        if state.running {
            return Err(Error::plain_warning(&Site {
                function: "EventBase::loop",
                message: "reentrant invocation. Only one event_base_loop can run on each event_base at once.",
            }));
        }
        state.running = true;
        state.got_exit = false;
        state.todo.take(Todo::STOP.or(Todo::RESUME));
        let has = |flag| flags != -1 && flags & flag != 0;
        if has(EventBase::LOOP_ONCE) {
            state.todo.add(Todo::ONCE);
        }
        if has(EventBase::LOOP_NONBLOCK) {
            state.todo.add(Todo::NO_WAIT);
        }
        Ok(Turn { base })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.base.state();
        state.running = false;
        state.todo.take(Todo::ONCE.or(Todo::NO_WAIT));
        state.cached = None;
        // After a panic: what was found is told by the next loop.
        state.settle();
    }
}
