//! The system's error numbers under PHP's names, such as `SOCKET_EADDRINUSE`, and the look-up from a number
//! to a name.

use std::ffi::c_int;

/// Defines PHP's constants and the look-up from a number to a name.
macro_rules! socket_errors {
    ($($name:ident $errno:ident $text:literal)* ; $($plain:ident)* ; $($resolver:ident $code:literal)*) => {
        $( #[doc = $text] pub const $name: c_int = libc::$errno; )*

        /// The symbol of an error code: PHP's constant, else the system's, else an empty text.
        pub(crate) fn symbol(code: c_int) -> &'static str {
            match code {
                $( libc::$errno => stringify!($name), )*
                $( libc::$plain => stringify!($plain), )*
                $( $code => stringify!($resolver), )*
                _ => "",
            }
        }
    };
}

/// Resource temporarily unavailable; on Linux the same number as `SOCKET_EAGAIN`. A `match` with both warns of an
/// unreachable pattern: write one of them.
pub const SOCKET_EWOULDBLOCK: c_int = libc::EWOULDBLOCK;

socket_errors! {
    SOCKET_EPERM EPERM "Operation not permitted."
    SOCKET_ENOENT ENOENT "No such file or directory."
    SOCKET_EINTR EINTR "Interrupted system call."
    SOCKET_EIO EIO "Input/output error."
    SOCKET_ENXIO ENXIO "No such device or address."
    SOCKET_E2BIG E2BIG "Argument list too long."
    SOCKET_EBADF EBADF "Bad file descriptor."
    SOCKET_EAGAIN EAGAIN "Resource temporarily unavailable."
    SOCKET_ENOMEM ENOMEM "Cannot allocate memory."
    SOCKET_EACCES EACCES "Permission denied."
    SOCKET_EFAULT EFAULT "Bad address."
    SOCKET_ENOTBLK ENOTBLK "Block device required."
    SOCKET_EBUSY EBUSY "Device or resource busy."
    SOCKET_EEXIST EEXIST "File exists."
    SOCKET_EXDEV EXDEV "Invalid cross-device link."
    SOCKET_ENODEV ENODEV "No such device."
    SOCKET_ENOTDIR ENOTDIR "Not a directory."
    SOCKET_EISDIR EISDIR "Is a directory."
    SOCKET_EINVAL EINVAL "Invalid argument."
    SOCKET_ENFILE ENFILE "Too many open files in system."
    SOCKET_EMFILE EMFILE "Too many open files."
    SOCKET_ENOTTY ENOTTY "Inappropriate ioctl for device."
    SOCKET_ENOSPC ENOSPC "No space left on device."
    SOCKET_ESPIPE ESPIPE "Illegal seek."
    SOCKET_EROFS EROFS "Read-only file system."
    SOCKET_EMLINK EMLINK "Too many links."
    SOCKET_EPIPE EPIPE "Broken pipe."
    SOCKET_ENAMETOOLONG ENAMETOOLONG "File name too long."
    SOCKET_ENOLCK ENOLCK "No locks available."
    SOCKET_ENOSYS ENOSYS "Function not implemented."
    SOCKET_ENOTEMPTY ENOTEMPTY "Directory not empty."
    SOCKET_ELOOP ELOOP "Too many levels of symbolic links."
    SOCKET_ENOMSG ENOMSG "No message of desired type."
    SOCKET_EIDRM EIDRM "Identifier removed."
    SOCKET_ECHRNG ECHRNG "Channel number out of range."
    SOCKET_EL2NSYNC EL2NSYNC "Level 2 not synchronized."
    SOCKET_EL3HLT EL3HLT "Level 3 halted."
    SOCKET_EL3RST EL3RST "Level 3 reset."
    SOCKET_ELNRNG ELNRNG "Link number out of range."
    SOCKET_EUNATCH EUNATCH "Protocol driver not attached."
    SOCKET_ENOCSI ENOCSI "No CSI structure available."
    SOCKET_EL2HLT EL2HLT "Level 2 halted."
    SOCKET_EBADE EBADE "Invalid exchange."
    SOCKET_EBADR EBADR "Invalid request descriptor."
    SOCKET_EXFULL EXFULL "Exchange full."
    SOCKET_ENOANO ENOANO "No anode."
    SOCKET_EBADRQC EBADRQC "Invalid request code."
    SOCKET_EBADSLT EBADSLT "Invalid slot."
    SOCKET_ENOSTR ENOSTR "Device not a stream."
    SOCKET_ENODATA ENODATA "No data available."
    SOCKET_ETIME ETIME "Timer expired."
    SOCKET_ENOSR ENOSR "Out of streams resources."
    SOCKET_ENONET ENONET "Machine is not on the network."
    SOCKET_EREMOTE EREMOTE "Object is remote."
    SOCKET_ENOLINK ENOLINK "Link has been severed."
    SOCKET_EADV EADV "Advertise error."
    SOCKET_ESRMNT ESRMNT "Srmount error."
    SOCKET_ECOMM ECOMM "Communication error on send."
    SOCKET_EPROTO EPROTO "Protocol error."
    SOCKET_EMULTIHOP EMULTIHOP "Multihop attempted."
    SOCKET_EBADMSG EBADMSG "Bad message."
    SOCKET_ENOTUNIQ ENOTUNIQ "Name not unique on network."
    SOCKET_EBADFD EBADFD "File descriptor in bad state."
    SOCKET_EREMCHG EREMCHG "Remote address changed."
    SOCKET_ERESTART ERESTART "Interrupted system call should be restarted."
    SOCKET_ESTRPIPE ESTRPIPE "Streams pipe error."
    SOCKET_EUSERS EUSERS "Too many users."
    SOCKET_ENOTSOCK ENOTSOCK "Socket operation on non-socket."
    SOCKET_EDESTADDRREQ EDESTADDRREQ "Destination address required."
    SOCKET_EMSGSIZE EMSGSIZE "Message too long."
    SOCKET_EPROTOTYPE EPROTOTYPE "Protocol wrong type for socket."
    SOCKET_ENOPROTOOPT ENOPROTOOPT "Protocol not available."
    SOCKET_EPROTONOSUPPORT EPROTONOSUPPORT "Protocol not supported."
    SOCKET_ESOCKTNOSUPPORT ESOCKTNOSUPPORT "Socket type not supported."
    SOCKET_EOPNOTSUPP EOPNOTSUPP "Operation not supported."
    SOCKET_EPFNOSUPPORT EPFNOSUPPORT "Protocol family not supported."
    SOCKET_EAFNOSUPPORT EAFNOSUPPORT "Address family not supported by protocol."
    SOCKET_EADDRINUSE EADDRINUSE "Address already in use."
    SOCKET_EADDRNOTAVAIL EADDRNOTAVAIL "Cannot assign requested address."
    SOCKET_ENETDOWN ENETDOWN "Network is down."
    SOCKET_ENETUNREACH ENETUNREACH "Network is unreachable."
    SOCKET_ENETRESET ENETRESET "Network dropped connection on reset."
    SOCKET_ECONNABORTED ECONNABORTED "Software caused connection abort."
    SOCKET_ECONNRESET ECONNRESET "Connection reset by peer."
    SOCKET_ENOBUFS ENOBUFS "No buffer space available."
    SOCKET_EISCONN EISCONN "Transport endpoint is already connected."
    SOCKET_ENOTCONN ENOTCONN "Transport endpoint is not connected."
    SOCKET_ESHUTDOWN ESHUTDOWN "Cannot send after transport endpoint shutdown."
    SOCKET_ETOOMANYREFS ETOOMANYREFS "Too many references: cannot splice."
    SOCKET_ETIMEDOUT ETIMEDOUT "Connection timed out."
    SOCKET_ECONNREFUSED ECONNREFUSED "Connection refused."
    SOCKET_EHOSTDOWN EHOSTDOWN "Host is down."
    SOCKET_EHOSTUNREACH EHOSTUNREACH "No route to host."
    SOCKET_EALREADY EALREADY "Operation already in progress."
    SOCKET_EINPROGRESS EINPROGRESS "Operation now in progress."
    SOCKET_EISNAM EISNAM "Is a named type file."
    SOCKET_EREMOTEIO EREMOTEIO "Remote I/O error."
    SOCKET_EDQUOT EDQUOT "Disk quota exceeded."
    SOCKET_ENOMEDIUM ENOMEDIUM "No medium found."
    SOCKET_EMEDIUMTYPE EMEDIUMTYPE "Wrong medium type."
    ; // Errors that PHP has no constant for.
    ESRCH ENOEXEC ECHILD ETXTBSY EFBIG EDOM ERANGE EDEADLK EBFONT ENOPKG EDOTDOT EOVERFLOW ELIBACC
    ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ESTALE EUCLEAN ENOTNAM ENAVAIL ECANCELED ENOKEY
    EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
    ; // The resolver's codes, as PHP counts them: -10000 less `h_errno`. Then those of `getaddrinfo`.
    NETDB_INTERNAL -9999 NETDB_SUCCESS -10000
    HOST_NOT_FOUND -10001 TRY_AGAIN -10002 NO_RECOVERY -10003 NO_DATA -10004
    EAI_BADFLAGS -1 EAI_NONAME -2 EAI_AGAIN -3 EAI_FAIL -4 EAI_NODATA -5 EAI_FAMILY -6 EAI_SOCKTYPE -7
    EAI_SERVICE -8 EAI_ADDRFAMILY -9 EAI_MEMORY -10 EAI_SYSTEM -11 EAI_OVERFLOW -12 EAI_IDN_ENCODE -105
}
