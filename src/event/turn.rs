//! One run of a base's loop, which ends as it should also when a callback panics.

use super::{Error, EventBase, Result, Site};

/// The base is running while this lives.
pub(super) struct Turn<'a> {
    base: &'a EventBase,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(base: &'a EventBase) -> Result<Turn<'a>> {
        let mut state = base.state();
        if state.running {
            return Err(Error::plain_warning(&Site {
                function: "EventBase::loop",
                message: "reentrant invocation. Only one event_base_loop can run on each event_base at once.",
            }));
        }
        state.running = true;
        state.got_exit = false;
        state.got_stop = false;
        state.resume = false;
        Ok(Turn { base })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.base.state();
        state.running = false;
        state.cached = None;
        // After a panic: what was found is told by the next loop.
        state.settle();
    }
}
