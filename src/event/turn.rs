//! One run of a base's loop, which ends as it should also when a callback panics.

use super::{Error, EventBase, Result, Site};

/// The base is running while this lives.
pub(super) struct Turn<'a> {
    base: &'a EventBase,
    finished: bool,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(base: &'a EventBase) -> Result<Turn<'a>> {
        let mut state = base.state();
        if state.running {
            return Err(Error::plain_warning(&Site {
                function: "EventBase::loop",
                message: "event_base_loop: reentrant invocation.  \
                          Only one event_base_loop can run on each event_base at once.",
            }));
        }
        (state.running, state.got_exit, state.stop) = (true, false, false);
        Ok(Turn { base, finished: false })
    }

    pub(super) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.base.state().finish(!self.finished);
    }
}
