//! Lesson 20 · IPv6 and names. Run `make lesson-20`, then its PHP twin with `make php-20`.

use std::env;
use std::ffi::OsStr;

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

fn main() -> Result<()> {
    // make lesson-20 ARGS="HOST"
    let host = Address::from(env::args_os().nth(1).unwrap_or_else(|| "localhost".into()));

    println!("1. One server for IPv4 and IPv6.");
    match dual_stack() {
        Ok(server) => {
            let here = socket_getsockname(&server)?;
            println!("   server: bound to {here}, for both");
            for (domain, address) in [(AF_INET, "127.0.0.1"), (AF_INET6, "::1")] {
                let client = socket_create(domain, SOCK_STREAM, SOL_TCP)?;
                match socket_connect(&client, address, here.port) {
                    Ok(()) => {
                        let connection = socket_accept(&server)?;
                        let caller = socket_getpeername(&connection)?.address;
                        println!("   client of {address}: the server sees {caller}");
                    }
                    // The kernel has IPv6, but no interface uses it.
                    Err(error) => println!("   client of {address}: {}", socket_strerror(error.code())),
                }
            }
            socket_close(server);
        }
        // A kernel without IPv6. A server would now go on with an IPv4 socket, as part 3 does.
        Err(error) => println!("   this machine has no IPv6: {error}"),
    }

    println!("2. A name has one address or several.");
    // Only streams: otherwise each address comes once for TCP, once for UDP and once raw.
    let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
    let found = lookup(&host, "http", hints)?;
    let names: Vec<String> =
        found.iter().map(|info| socket_addrinfo_explain(info).ai_addr.to_string()).collect();
    let names = if names.is_empty() { "no address".to_owned() } else { names.join(", ") };
    println!("   {host}, port of http: {names}");

    println!("3. A client tries one after the other.");
    let own = lookup("127.0.0.1", "0", hints)?;
    let Some(first) = own.first() else { return Ok(()) };
    let server = socket_addrinfo_bind(first)?;
    socket_listen(&server, 5)?;
    let port = socket_getsockname(&server)?.port.to_string();
    println!("   server: bound to 127.0.0.1:{port}, for IPv4 alone");
    // The addresses that a name with two would give: ::1 goes first, as in most answers of the resolver.
    let mut found = lookup("::1", &port, hints)?;
    found.extend(lookup("127.0.0.1", &port, hints)?);
    let connected = connect(&found);
    // Break it: uncomment the next line. Perhaps there was no connection (error E0308).
    // socket_write(&connected, "Hello!", None)?;
    if let Some(client) = connected {
        println!("   client: connected to {}", socket_getpeername(&client)?);
    }

    println!("4. An address is a text, bytes, a number, and perhaps a name.");
    // Two texts may be one address: compare the bytes.
    let bytes = inet_pton("0:0::1").unwrap_or_default();
    let text = inet_ntop(&bytes).unwrap_or_default();
    println!("   inet_pton: 0:0::1 is {} bytes; inet_ntop: they are {text}", bytes.len());
    let number = ip2long("127.0.0.1").unwrap_or_default();
    println!("   ip2long: 127.0.0.1 is {number}; long2ip: the next one is {}", long2ip(number + 1));
    println!("   gethostbyaddr: 127.0.0.1 is {}", gethostbyaddr("127.0.0.1")?);
    Ok(())
}

/// A listener that takes clients of both families.
fn dual_stack() -> Result<Socket> {
    let server = socket_create(AF_INET6, SOCK_STREAM, SOL_TCP)?;
    // 0: IPv4 too. Always said, for the default is up to the machine (/proc/sys/net/ipv6/bindv6only).
    socket_set_option(&server, IPPROTO_IPV6, IPV6_V6ONLY, 0)?;
    // `::` is every address of this machine, of both families. There is no `both loopbacks`.
    socket_bind(&server, "::", 0)?;
    socket_listen(&server, 5)?;
    Ok(server)
}

/// The addresses of a name. An unknown name has none, and PHP warns of none.
fn lookup(host: impl AsRef<OsStr>, service: &str, hints: AddrinfoHints) -> Result<Vec<AddressInfo>> {
    match socket_addrinfo_lookup(host, service, hints) {
        Err(error) if error.kind() == ErrorKind::Silent => Ok(Vec::new()),
        found => found,
    }
}

/// A connection to the first address that answers.
fn connect(found: &[AddressInfo]) -> Option<Socket> {
    for info in found {
        match socket_addrinfo_connect(info) {
            Ok(client) => return Some(client),
            Err(error) => {
                let address = socket_addrinfo_explain(info).ai_addr.address;
                println!("   client: {address} fails, {}", socket_strerror(error.code()));
            }
        }
    }
    None
}
