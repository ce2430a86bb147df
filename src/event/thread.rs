//! The bases of a thread: what callbacks keep alive in a circle ends with the thread.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::state::State;

thread_local! {
    pub(super) static BASES: Bases = const { Bases(RefCell::new(Vec::new())) };
}

pub(super) struct Bases(RefCell<Vec<Weak<RefCell<State>>>>);

impl Bases {
    pub(super) fn remember(&self, state: &Rc<RefCell<State>>) {
        let mut bases = self.0.borrow_mut();
        bases.retain(|base| base.strong_count() > 0);
        bases.push(Rc::downgrade(state));
    }
}

impl Drop for Bases {
    fn drop(&mut self) {
        for state in self.0.take().iter().filter_map(Weak::upgrade) {
            // A callback that ends the process is still at work: what it uses stays.
            let entries = state
                .try_borrow_mut()
                .ok()
                .filter(|state| !state.running)
                .map(|mut state| state.remove_all());
            drop(entries);
        }
    }
}
