//! The character set of a name that is not ASCII.

use std::ptr::{self, NonNull};

use libc::locale_t;

/// While it lives, C functions of this thread read text as UTF-8, as they do in PHP. In a Rust program they read ASCII, and
/// `getaddrinfo` would refuse every internationalized name.
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

        // SAFETY: `ours` is a locale, and `drop` gives the thread another before it is freed. The look-up that begins a
        // `Utf8` drops it before it returns.
        let before = unsafe { libc::uselocale(ours) };
        Some(Utf8 { before, ours })
    }
}

impl Drop for Utf8 {
    fn drop(&mut self) {
        // SAFETY: `before` is the locale that this thread had. Its owner has not freed it since: only `getaddrinfo` runs in
        // this thread while `self` lives. If `begin` could not change the locale, `before` is null, and the call changes
        // nothing.
        unsafe { libc::uselocale(self.before) };

        // SAFETY: `begin` made `ours`, no other thread has it, and this one has `before` again.
        unsafe { libc::freelocale(self.ours) }
    }
}
