//! The character set of a name that is not ASCII.

use std::ptr::{self, NonNull};

use libc::locale_t;

/// While it lives, C functions of this thread take text for UTF-8, as all of PHP does. A Rust program's is ASCII, in
/// which `getaddrinfo` would refuse every internationalized name.
pub(super) struct Utf8 {
    before: locale_t,
    ours: locale_t,
}

impl Utf8 {
    /// `None` if the C library has no such character set.
    pub(super) fn begin() -> Option<Utf8> {
        // SAFETY: the name ends in a NUL; without a base the call makes a new locale, or null.
        let ours = unsafe { libc::newlocale(libc::LC_CTYPE_MASK, c"C.UTF-8".as_ptr(), ptr::null_mut()) };
        let ours = NonNull::new(ours)?.as_ptr();

        // SAFETY: `ours` is a locale, and `drop` takes it from the thread again before it is freed; the look-up that asks for
        // a `Utf8` drops it before it returns.
        let before = unsafe { libc::uselocale(ours) };
        Some(Utf8 { before, ours })
    }
}

impl Drop for Utf8 {
    fn drop(&mut self) {
        // SAFETY: `before` is what `uselocale` said this thread had, and its owner may not free it while the thread has it,
        // which is so to this thread's other code as long as `self` lives: nothing but `getaddrinfo` runs meanwhile. Where
        // `begin` could not change the locale, `before` is null, and the call changes nothing.
        unsafe { libc::uselocale(self.before) };

        // SAFETY: `begin` made `ours`, no other thread was given it, and this one has `before` again.
        unsafe { libc::freelocale(self.ours) }
    }
}
