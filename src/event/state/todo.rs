//! What there is to do beside waiting for descriptors and calling their callbacks: usually nothing, which one look tells.

#[derive(Clone, Copy, Default)]
pub(in super::super) struct Todo(u16);

impl Todo {
    /// The loop is to end after this round.
    pub(in super::super) const EXIT: Todo = Todo(1);
    /// The loop is to end after this callback.
    pub(in super::super) const STOP: Todo = Todo(1 << 1);
    /// The round is to end after this callback.
    pub(in super::super) const RESUME: Todo = Todo(1 << 2);
    /// A queue may have an event.
    pub(in super::super) const QUEUED: Todo = Todo(1 << 3);
    /// There may be timers.
    pub(in super::super) const TIMERS: Todo = Todo(1 << 4);
    /// There are several priorities.
    pub(in super::super) const ORDER: Todo = Todo(1 << 5);
    /// Epoll has told of a descriptor that nobody watches; its watch may have ended after that.
    pub(in super::super) const STALE: Todo = Todo(1 << 6);
    /// The loop is to end when it has called something.
    pub(in super::super) const ONCE: Todo = Todo(1 << 7);
    /// The loop is not to wait for anything.
    pub(in super::super) const NO_WAIT: Todo = Todo(1 << 8);

    pub(in super::super) const fn or(self, other: Todo) -> Todo {
        Todo(self.0 | other.0)
    }

    #[inline]
    pub(in super::super) fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// Whether there is one of these.
    #[inline]
    pub(in super::super) fn has(self, some: Todo) -> bool {
        self.0 & some.0 != 0
    }

    pub(in super::super) fn add(&mut self, some: Todo) {
        self.0 |= some.0;
    }

    /// Takes some away; whether there was one of them.
    pub(in super::super) fn take(&mut self, some: Todo) -> bool {
        let had = self.has(some);
        self.0 &= !some.0;
        had
    }
}
