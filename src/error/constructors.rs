//! The constructors of an error: each says in which way PHP fails.

use std::ffi::c_int;

use super::slot::remember_errno;
use super::{Error, ErrorKind, Form, Site};

impl Error {
    /// A warning about `code`, which the caller has remembered. It is quiet if the code means "not yet".
    pub(crate) fn coded(site: &'static Site, code: c_int) -> Error {
        let quiet = matches!(code, libc::EAGAIN | libc::EINPROGRESS);
        let kind = if quiet { ErrorKind::Quiet } else { ErrorKind::Warning };
        Error { site, number: code, second: 0, kind, form: Form::Coded }
    }

    /// A warning about `errno`, remembered in the thread's slot only, because the failure belongs to no
    /// socket.
    #[cold]
    pub(crate) fn warning(site: &'static Site) -> Error {
        Error::coded(site, remember_errno())
    }

    /// As [`warning`](Error::warning), for the functions whose warnings PHP prints whatever the code is.
    #[cold]
    pub(crate) fn loud_warning(site: &'static Site) -> Error {
        Error { kind: ErrorKind::Warning, ..Error::warning(site) }
    }

    /// A warning about a code that no slot remembers, of a function outside PHP's sockets extension. PHP prints
    /// it whatever the code is.
    pub(crate) fn unremembered(site: &'static Site, code: c_int) -> Error {
        Error { kind: ErrorKind::Warning, ..Error::coded(site, code) }
    }

    /// A failure without a code, which no slot remembers.
    #[cold]
    fn uncoded(site: &'static Site, kind: ErrorKind) -> Error {
        Error { site, number: 0, second: 0, kind, form: Form::Plain }
    }

    /// A warning without a code.
    pub(crate) fn plain_warning(site: &'static Site) -> Error {
        Error::uncoded(site, ErrorKind::Warning)
    }

    /// A warning about `code` whose text leaves the code out.
    pub(crate) fn unsaid(site: &'static Site, code: c_int) -> Error {
        Error { number: code, form: Form::Unsaid, ..Error::plain_warning(site) }
    }

    /// An exception that PHP throws.
    pub(crate) fn value(site: &'static Site) -> Error {
        Error::uncoded(site, ErrorKind::Value)
    }

    /// A `ValueError` whose text does not begin with the function.
    pub(crate) fn bare_value(site: &'static Site) -> Error {
        Error { form: Form::Bare, ..Error::value(site) }
    }

    /// A `false` without a warning and without a code.
    pub(crate) fn silent(site: &'static Site) -> Error {
        Error::uncoded(site, ErrorKind::Silent)
    }

    /// A failure of `getaddrinfo`, whose codes are its own. PHP returns `false` without a warning.
    #[cold]
    pub(crate) fn resolver(site: &'static Site, code: c_int) -> Error {
        Error { number: code, form: Form::Resolver, ..Error::silent(site) }
    }

    /// Sets the number that the first `{}` of the message is replaced by. A word between the braces shows
    /// it in another form: `{index}` without a sign, `{address}` as the bytes of an IPv4 address, `{limit}`
    /// rounded up to the next multiple of 1024.
    pub(crate) fn about(self, number: i32) -> Error {
        Error { number, ..self }
    }

    /// Sets the number that a second `{}` is replaced by.
    pub(crate) fn and(self, second: u16) -> Error {
        Error { second, ..self }
    }
}
