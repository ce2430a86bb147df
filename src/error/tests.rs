//! The wording and the kind of a failure.

use super::slot::last;
use super::*;

static SITE: Site = site("of {} and {}");
static INDEX: Site = site("{index} and {}");
static LIMIT: Site = site("{}, {limit}");
static ADDRESS: Site = site("{address}");

/// A site that is not one of the crate: the tests need not provoke it.
const fn site(message: &'static str) -> Site {
    Site { function: "f", message }
}

#[test]
fn braces_stand_for_the_numbers_of_an_error() {
    let error = Error::plain_warning(&SITE).about(-1).and(u16::MAX);
    assert_eq!(error.to_string(), "f(): of -1 and 65535");
    assert_eq!(error.message(), "of -1 and 65535");

    let error = Error::plain_warning(&INDEX).about(-1).and(7);
    assert_eq!(error.to_string(), "f(): 4294967295 and 7");

    for (number, text) in [(1109, "1109, 2048"), (1024, "1024, 2048"), (-1, "-1, 0")] {
        let error = Error::bare_value(&LIMIT).about(number);
        assert_eq!(error.to_string(), text, "PHP's limit is the next multiple of 1024");
    }

    let error = Error::bare_value(&ADDRESS).about(i32::from_ne_bytes([127, 0, 0, 1]));
    assert_eq!(error.to_string(), "127.0.0.1");
}

#[test]
fn only_not_yet_is_quiet() {
    for (code, quiet) in [(libc::EAGAIN, true), (libc::EINPROGRESS, true), (libc::EPIPE, false), (0, false)] {
        let error = Error::coded(&SITE, code);
        assert_eq!(error.is_quiet(), quiet, "{code}");
        assert_eq!(error.kind() == ErrorKind::Quiet, quiet);
        assert_eq!(error.is_warning(), !quiet);
    }
    errno::set_errno(errno::Errno(libc::EAGAIN));
    assert!(Error::warning(&SITE).is_quiet());
    assert!(!Error::loud_warning(&SITE).is_quiet(), "PHP warns whatever the code");
    let resolver = Error::resolver(&SITE, libc::EAI_NONAME);
    for error in [Error::plain_warning(&SITE), Error::value(&SITE), Error::silent(&SITE), resolver] {
        assert!(!error.is_quiet());
        assert_eq!(error.is_warning(), error.kind() == ErrorKind::Warning);
    }
}

#[test]
fn a_failed_getaddrinfo_has_the_c_librarys_text_before_the_message() {
    static SILENT: Site = site("(and no more)");
    let error = Error::resolver(&SILENT, libc::EAI_NONAME);

    assert_eq!(error.to_string(), "f(): Name or service not known (and no more)");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Silent, libc::EAI_NONAME));
    assert_eq!(error.name(), "EAI_NONAME");
    assert_eq!(error.message(), "Name or service not known (and no more)");
}

/// PHP prints these texts.
#[test]
fn the_resolvers_codes_begin_below_minus_10000() {
    for (code, text) in [
        (-10001, "Unknown host"),
        (-10004, "No address associated with name"),
        (-10000, "Unknown error -10000"),
        (-9999, "Unknown error -9999"),
        (0, "Success"),
        (2, "No such file or directory"),
    ] {
        assert_eq!(strerror(code), text, "{code}");
    }
}

#[test]
fn errno_is_remembered_by_the_thread_whatever_it_is() {
    for code in [libc::EPIPE, 0, libc::EAGAIN] {
        errno::set_errno(errno::Errno(code));
        assert_eq!((Error::warning(&SITE).code(), last()), (code, code));
    }
    errno::set_errno(errno::Errno(libc::EPIPE));
    assert_eq!(Error::warning(&ADDRESS).to_string(), "f(): 32.0.0.0 [32]: Broken pipe");
}
