//! PHP's sentence about a failure.

use std::ffi::c_int;
use std::net::Ipv4Addr;
use std::{fmt, io};

mod constructors;
pub(crate) mod last_error;
pub(crate) mod slot;
pub(crate) mod text;

use crate::constants::errors::symbol;
use text::{gai_strerror, strerror};

/// `Result` with this crate's [`Error`].
///
/// The second parameter lets `Result<A, B>` work after `use php_sockets::*`.
///
/// ```
/// use php_sockets::*;
///
/// fn bound() -> Result<Socket> {
///     let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
///     socket_bind(&socket, "127.0.0.1", 0)?;
///     Ok(socket)
/// }
/// # bound()?;
/// # Ok::<(), Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The place in this crate that an error came from: a PHP function, and PHP's message for that failure.
///
/// One `Site` stands in the source beside each call that can fail. An [`Error`] points at it.
///
/// ```
/// use php_sockets::*;
///
/// let error = socket_create(AF_INET, SOCK_STREAM, IPPROTO_ICMP).unwrap_err();
/// assert_eq!(error.site().message, "Unable to create socket");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Site {
    /// The PHP function, `socket_bind`.
    pub function: &'static str,
    /// PHP's message for this failure, `Unable to bind address`.
    ///
    /// Braces stand where PHP's message has a number: `Pair level {} and/or type {} is not supported`.
    /// [`Error::message`] has the numbers in their places.
    pub message: &'static str,
}

/// The four ways in which PHP fails. [`Error::kind`] returns the one that PHP would have used.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
///
/// let error = socket_getpeername(&socket).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Warning);
///
/// let error = socket_connect(&socket, "127.0.0.1", None).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Value);
///
/// let error = socket_read(&socket, 0, PHP_BINARY_READ).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Silent);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// PHP returns `false` and prints a warning.
    Warning,
    /// PHP returns `false`, remembers the code and prints nothing: EAGAIN or EINPROGRESS, "not yet".
    Quiet,
    /// PHP returns `false`, remembers nothing and prints nothing.
    Silent,
    /// PHP throws a `ValueError`, a `TypeError` or an `Error`; no error slot is touched. Which of the three
    /// is not told apart: nearly always it is the first.
    Value,
}

/// An error, worded as PHP words it.
///
/// `Display` and `Debug` both give the text of PHP's warning, so a `main` that returns [`Result`] prints it.
/// A program matches on [`code`](Error::code). [`name`](Error::name) is the word to search the web for.
///
/// An `Error` has 16 bytes and is `Copy`. A `Result<usize>` has 16 bytes too.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// let error = socket_getpeername(&socket).unwrap_err();
///
/// assert_eq!(
///     error.to_string(),
///     "socket_getpeername(): unable to retrieve peer name [107]: \
///      Transport endpoint is not connected"
/// );
/// assert_eq!(error.code(), SOCKET_ENOTCONN);
/// assert_eq!(error.name(), "SOCKET_ENOTCONN");
/// assert_eq!(error.function(), "socket_getpeername");
/// assert_eq!(error.kind(), ErrorKind::Warning);
/// # Ok::<(), Error>(())
/// ```
///
/// # As an `io::Error`
///
/// `?` converts an `Error` into an [`io::Error`], with its text and the `ErrorKind` of its code. An
/// `io::Error` with a text has no code: [`raw_os_error`](io::Error::raw_os_error) is `None`. The `Error`
/// inside it has the code:
///
/// ```
/// use std::io;
/// use php_sockets::*;
///
/// fn bound(port: u16) -> io::Result<Socket> {
///     let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
///     socket_bind(&socket, "127.0.0.1", port)?;
///     Ok(socket)
/// }
///
/// let first = bound(0)?;
/// let error = bound(socket_getsockname(&first)?.port).unwrap_err();
///
/// assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
/// let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
/// assert_eq!(inner.map(Error::code), Some(SOCKET_EADDRINUSE));
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Differences from PHP
///
/// Where PHP quotes a string of the caller's, the text omits it: `No interface with name "eth9" could be
/// found` is `No interface with this name could be found`.
///
/// [php.net: socket_last_error](https://www.php.net/socket_last_error) ·
/// [errno(3)](https://man7.org/linux/man-pages/man3/errno.3.html)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    site: &'static Site,
    /// The error code. In a failure without a code, the number in the message.
    number: i32,
    /// A second number in the message.
    second: u16,
    kind: ErrorKind,
    form: Form,
}

/// The form of PHP's sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `socket_x(): message [code]: text of the code`
    Coded,
    /// `socket_x(): message`
    Plain,
    /// `message`
    Bare,
    /// `socket_x(): text of getaddrinfo's code message`
    Resolver,
    /// `socket_x(): message`, with a code that PHP's text leaves out
    Unsaid,
}

impl Error {
    /// The code as `socket_last_error` has it: an `errno`, or one of the codes below.
    ///
    /// | code | from | meaning |
    /// | --- | --- | --- |
    /// | 1 and above | the kernel | `SOCKET_ECONNREFUSED` and its kin |
    /// | −10001 to −10004 | the look-up of a host name, −10000 less C's `h_errno` | `HOST_NOT_FOUND`: no such host. `TRY_AGAIN`: no answer from a name server; later there may be one. `NO_RECOVERY`: not a question that can be asked, as an empty name. `NO_DATA`: the host has no address of this family |
    /// | −10000 | the same, where the C library asked nothing and left `h_errno` at 0 | on an `AF_INET` socket, a text that can be no host: an IPv6 address (`::1`, `[::1]`), a name with a port (`localhost:80`), `a..b`, `/tmp/x`, `no such`, `300.1.1.1`. If an earlier look-up of this thread has failed, its code appears instead, as in PHP |
    /// | −9999 | the same, of a resolver that failed itself | `NETDB_INTERNAL`: without memory, say |
    /// | −1 to −105 | [`socket_addrinfo_lookup`](crate::socket_addrinfo_lookup) | C's `EAI_NONAME`: no such host. `EAI_AGAIN`: no answer, as `TRY_AGAIN`. In PHP there is no code, and no slot remembers it |
    ///
    /// `SOCKET_EINVAL` where PHP has no code. [`kind`](Error::kind) distinguishes such a failure from a
    /// real `SOCKET_EINVAL`. No slot remembers it: PHP's `socket_strerror(socket_last_error($s))` has the
    /// text of an older failure there, or `Success`.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let (here, _there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    /// socket_set_nonblock(&here)?;
    /// match socket_read(&here, 100, PHP_BINARY_READ) {
    ///     Err(error) if error.code() == SOCKET_EAGAIN => println!("nothing yet"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn code(&self) -> c_int {
        match self.form {
            Form::Coded | Form::Unsaid | Form::Resolver => self.number,
            Form::Plain | Form::Bare => libc::EINVAL,
        }
    }

    /// The code's symbol, which is the word to search for: `SOCKET_EADDRINUSE`.
    ///
    /// Where PHP has no constant it is the system's symbol: `EDOM`, for the resolver's codes
    /// `HOST_NOT_FOUND` or `EAI_AGAIN` and their kin. For an unknown code it is empty. [`code`](Error::code)
    /// lists the resolver's. Of two names for one number it is the first: `SOCKET_EAGAIN` for 11, where PHP's
    /// `array_flip` of the constants has `SOCKET_EWOULDBLOCK`.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let error = socket_create(AF_UNIX, SOCK_RDM, 0).unwrap_err();
    /// assert_eq!(error.name(), "SOCKET_ESOCKTNOSUPPORT");
    ///
    /// let numeric = AddrinfoHints::new().ai_flags(AI_NUMERICHOST);
    /// let error = socket_addrinfo_lookup("nosuch", None, numeric).unwrap_err();
    /// assert_eq!((error.code(), error.name()), (-2, "EAI_NONAME"));
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        symbol(self.code())
    }

    /// The symbol of a bare code, as [`name`](Error::name) has it: of the value of `SO_ERROR`, or of what
    /// `socket_last_error` returned.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    /// let code = socket_get_option(&socket, SOL_SOCKET, SO_ERROR)?.int()?;
    /// assert_eq!(code, 0); // a socket without an error
    ///
    /// assert_eq!(Error::name_of(111), "SOCKET_ECONNREFUSED");
    /// assert_eq!(Error::name_of(-10001), "HOST_NOT_FOUND");
    /// assert_eq!(Error::name_of(0), "");
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn name_of(code: c_int) -> &'static str {
        symbol(code)
    }

    /// The PHP function that failed: `socket_bind`.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let error = socket_create(99, SOCK_STREAM, 0).unwrap_err();
    /// assert_eq!(error.function(), "socket_create");
    /// ```
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.site.function
    }

    /// The way in which PHP would have failed, one of four.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let error = socket_create(99, SOCK_STREAM, 0).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Value);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// True if PHP would have printed no warning because the code means "not yet": EAGAIN or EINPROGRESS.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let listener = socket_create_listen(0, SOMAXCONN)?;
    /// socket_set_nonblock(&listener)?;
    /// assert!(socket_accept(&listener).unwrap_err().is_quiet());
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.kind() == ErrorKind::Quiet
    }

    /// True if PHP would have printed a warning. A program that logs as PHP does logs these errors.
    ///
    /// It is false for a [`Quiet`](ErrorKind::Quiet) failure, for a [`Silent`](ErrorKind::Silent) one, and
    /// for an exception that PHP throws.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    /// assert!(socket_getpeername(&socket).unwrap_err().is_warning());
    ///
    /// let silent = socket_read(&socket, 0, PHP_BINARY_READ).unwrap_err();
    /// assert!(!silent.is_warning());
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.kind() == ErrorKind::Warning
    }

    /// PHP's message without the function and the code, its numbers filled in: `Unable to bind address`.
    ///
    /// The text of the code is [`socket_strerror(error.code())`](crate::socket_strerror), which is PHP's
    /// `socket_strerror(socket_last_error($s))`: `Address already in use`.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let error = socket_create(AF_UNIX, SOCK_RDM, 0).unwrap_err();
    /// assert_eq!(error.message(), "Unable to create socket");
    ///
    /// let error = socket_cmsg_space(SOL_SOCKET, 99, 0).unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     "Pair level 1 and/or type 99 is not supported"
    /// );
    /// ```
    #[must_use]
    pub fn message(&self) -> String {
        let mut text = String::new();
        // A `String` takes every text.
        let _ = self.write_message(&mut text);
        text
    }

    /// The function and the message, without the code. [`message`](Error::message) is the message as PHP
    /// prints it.
    ///
    /// ```
    /// use php_sockets::*;
    ///
    /// let site = socket_create(AF_UNIX, SOCK_RDM, 0).unwrap_err().site();
    /// assert_eq!(site.function, "socket_create");
    /// assert_eq!(site.message, "Unable to create socket");
    /// ```
    #[must_use]
    pub fn site(&self) -> &'static Site {
        self.site
    }

    fn write_message(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let Error { site, number, second, form, .. } = *self;
        if form == Form::Resolver {
            write!(f, "{} ", gai_strerror(number))?;
        }
        // The parts between braces stand for one of the numbers.
        for (position, part) in site.message.split(['{', '}']).enumerate() {
            match part {
                text if position % 2 == 0 => f.write_str(text)?,
                "limit" => write!(f, "{}", (i64::from(number) + 1024) & !1023)?,
                "index" => write!(f, "{}", u32::from_ne_bytes(number.to_ne_bytes()))?,
                "address" => write!(f, "{}", Ipv4Addr::from(number.to_ne_bytes()))?,
                _ if position == 1 => write!(f, "{number}")?,
                _ => write!(f, "{second}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { site, number, form, .. } = *self;
        if form != Form::Bare {
            write!(f, "{}(): ", site.function)?;
        }
        self.write_message(f)?;
        if form == Form::Coded {
            write!(f, " [{number}]: {}", strerror(number))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// Retains the sentence, and takes the `ErrorKind` that std has for the code.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(io::Error::from_raw_os_error(error.code()).kind(), error)
    }
}

#[cfg(test)]
mod tests;
