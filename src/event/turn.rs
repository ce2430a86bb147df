//! One run of a base's loop, which ends as it should also when a callback panics.

use super::state::{Callback, Id};
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

    /// Calls the callbacks of the most urgent priority; whether there was one.
    #[inline]
    pub(super) fn call(&self) -> bool {
        let Some(priority) = self.base.state().urgent() else { return false };
        let mut called = false;
        loop {
            let next = {
                let mut state = self.base.state();
                if called && (state.got_stop || std::mem::take(&mut state.resume)) {
                    return called;
                }
                state.next(priority)
            };
            let Some((id, callback, what)) = next else { return called };
            called = true;
            let mut lent = Lent { base: self.base, id, callback: Some(callback) };
            if let Some(callback) = &mut lent.callback {
                callback(self.base, what);
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.base.state();
        state.running = false;
        state.cached = None;
    }
}

/// A callback that runs. It goes back to its event afterwards; if that is gone, the callback goes too.
struct Lent<'a> {
    base: &'a EventBase,
    id: Id,
    callback: Option<Callback>,
}

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        let callback = self.callback.take();
        if let Some(entry) = self.base.state().entry(self.id) {
            entry.callback = callback;
            return;
        }
        // The base is not borrowed here: what the callback captured may use it.
        drop(callback);
    }
}
