//! PHP's nullable arguments: `?Socket $socket`, `?int $port`, `?int $seconds`. Each is a trait of this crate, so that
//! the compiler can say what to write.

use crate::socket::Socket;

/// A socket or none: PHP's `?Socket $socket` of [`socket_last_error`](crate::socket_last_error) and
/// [`socket_clear_error`](crate::socket_clear_error).
///
/// `None`, `Option<&Socket>`, or a reference to a socket: `&Socket`, `&mut Socket`, `&Rc<Socket>`, `&Arc<Socket>`,
/// and one to any other type that dereferences to a `Socket`. No other type can implement this trait.
///
/// A function of your own that passes its argument on twice takes `impl SocketRef + Copy`. All but `&mut Socket` are
/// `Copy`.
///
/// ```
/// use std::rc::Rc;
/// use php_sockets::*;
///
/// let mut socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert_eq!(socket_last_error(&mut socket), 0);
///
/// let shared = Rc::new(socket);
/// assert_eq!(socket_last_error(&shared), 0);
/// assert_eq!(socket_last_error(None), 0);
///
/// fn take_error(socket: impl SocketRef + Copy) -> i32 {
///     let code = socket_last_error(socket);
///     socket_clear_error(socket);
///     code
/// }
/// assert_eq!(take_error(&shared), 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_last_error](https://www.php.net/socket_last_error) ·
/// [errno(3)](https://man7.org/linux/man-pages/man3/errno.3.html)
#[diagnostic::on_unimplemented(
    message = "a socket is given by reference here, or it is `None`; this is `{Self}`",
    label = "write `&socket`, or `None` for the last error of the thread"
)]
pub trait SocketRef: sealed::SocketRef {}

/// A port or none: PHP's `?int $port` of [`socket_connect`](crate::socket_connect) and
/// [`socket_sendto`](crate::socket_sendto).
///
/// A `u16`, an `Option<u16>`, or `None`. No other type can implement this trait. A number of another type is converted
/// with `u16::try_from`, and a text is parsed; neither takes a number out of range. The
/// [porting guide](crate::php_to_rust#ports-out-of-text) has PHP's text for that.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_connect(&socket, "127.0.0.1", 53)?;
///
/// let number: i32 = 53;
/// if let Ok(port) = u16::try_from(number) {
///     socket_connect(&socket, "127.0.0.1", port)?;
/// }
/// if let Ok(port) = "53".parse::<u16>() {
///     socket_connect(&socket, "127.0.0.1", port)?;
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_connect](https://www.php.net/socket_connect) ·
/// [ip(7)](https://man7.org/linux/man-pages/man7/ip.7.html)
#[diagnostic::on_unimplemented(
    message = "a port is a `u16` or `None`, not `{Self}`",
    label = "convert a number with `u16::try_from(number)`, a text with `text.parse::<u16>()`",
    note = "a port is a number from 0 to 65535; PHP's `null` is `None`"
)]
pub trait Port: sealed::Port {}

/// Whole seconds or none: PHP's `?int $seconds` of [`socket_select`](crate::socket_select).
///
/// An `i64`, an `Option<i64>`, or `None`, which waits for ever. No other type can implement this trait. The fraction of
/// a second is the next argument:
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_bind(&socket, "127.0.0.1", 0)?;
///
/// // 0.05 seconds.
/// let mut read = vec![&socket];
/// assert_eq!(socket_select(Some(&mut read), None, None, 0, 50_000)?, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_select](https://www.php.net/socket_select) ·
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
#[diagnostic::on_unimplemented(
    message = "the seconds are an `i64` or `None`, not `{Self}`",
    label = "write whole seconds; the rest goes into the last argument: 1.5 seconds are `1, 500_000`",
    note = "another integer is converted with `i64::from(seconds)` or `i64::try_from(seconds)`; `None` waits for ever"
)]
pub trait Seconds: sealed::Seconds {}

/// Limits the traits to the types listed there. The methods are here, so that `use php_sockets::*` gives none to a `u16`.
pub(crate) mod sealed {
    use std::ops::Deref;

    use crate::socket::Socket;

    pub trait Port {
        fn port(self) -> Option<u16>;
    }

    pub trait Seconds {
        fn seconds(self) -> Option<i64>;
    }

    pub trait SocketRef {
        fn socket(&self) -> Option<&Socket>;
    }

    /// A socket, or a pointer to one.
    pub trait AsSocket {
        fn as_socket(&self) -> &Socket;
    }

    impl AsSocket for Socket {
        #[inline]
        fn as_socket(&self) -> &Socket {
            self
        }
    }

    #[diagnostic::do_not_recommend]
    impl<P: Deref<Target: AsSocket>> AsSocket for P {
        #[inline]
        fn as_socket(&self) -> &Socket {
            (**self).as_socket()
        }
    }
}
use sealed::AsSocket;

#[diagnostic::do_not_recommend]
impl<S: AsSocket> SocketRef for &S {}
#[diagnostic::do_not_recommend]
impl<S: AsSocket> sealed::SocketRef for &S {
    #[inline]
    fn socket(&self) -> Option<&Socket> {
        Some(self.as_socket())
    }
}

#[diagnostic::do_not_recommend]
impl<S: AsSocket> SocketRef for &mut S {}
#[diagnostic::do_not_recommend]
impl<S: AsSocket> sealed::SocketRef for &mut S {
    #[inline]
    fn socket(&self) -> Option<&Socket> {
        Some(self.as_socket())
    }
}

impl SocketRef for Option<&Socket> {}
impl sealed::SocketRef for Option<&Socket> {
    #[inline]
    fn socket(&self) -> Option<&Socket> {
        *self
    }
}

impl Port for u16 {}
impl sealed::Port for u16 {
    #[inline]
    fn port(self) -> Option<u16> {
        Some(self)
    }
}

impl Port for Option<u16> {}
impl sealed::Port for Option<u16> {
    #[inline]
    fn port(self) -> Option<u16> {
        self
    }
}

impl Seconds for i64 {}
impl sealed::Seconds for i64 {
    #[inline]
    fn seconds(self) -> Option<i64> {
        Some(self)
    }
}

impl Seconds for Option<i64> {}
impl sealed::Seconds for Option<i64> {
    #[inline]
    fn seconds(self) -> Option<i64> {
        self
    }
}
