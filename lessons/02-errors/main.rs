//! Lesson 02 · errors. Run `make lesson-02`, then its PHP twin with `make php-02`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

fn main() -> Result<()> {
    let first = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    let second = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    println!("Three sockets, and nothing has failed yet");
    slots(&second, &client);

    // Port 0 means "any free port". The kernel chooses, and we ask which.
    socket_bind(&first, "127.0.0.1", 0)?;
    let name = socket_getsockname(&first)?;
    println!("\n1. bind, to a port that is taken");
    println!("   first is bound to {name}; second wants to be");
    // PHP warns and returns false; Rust returns Err, and the error is PHP's sentence.
    if let Err(error) = socket_bind(&second, &name.address, name.port) {
        println!("   {error}");
    }
    println!("   One address has one owner.");
    slots(&second, &client);

    println!("\n2. connect, to a port where nobody listens");
    if let Err(error) = socket_connect(&client, &name.address, name.port) {
        println!("   {error}");
    }
    println!("   The port has an owner, but first is only bound: it does not listen.");
    slots(&second, &client);

    println!("\n3. bind, to an address that is not this machine's");
    if let Err(error) = socket_bind(&second, "192.0.2.1", 0) {
        println!("   {error}");
    }
    println!("   bind is about your own end. The other end's address is for connect.");
    slots(&second, &client);

    println!("\n4. connect, to a host that nobody knows");
    if let Err(error) = socket_connect(&client, "no-such-host.invalid", 80) {
        println!("   {error}");
    }
    println!("   A code below -10000 is the resolver's: no address, so no attempt.");
    slots(&second, &client);

    // No file name of a socket is that long. PHP throws: this is the caller's mistake.
    println!("\n5. bind, with an argument that makes no sense");
    let local = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    match socket_bind(&local, "x".repeat(108), 0) {
        Err(error) if error.kind() == ErrorKind::Value => println!("   {error}"),
        _ => println!("   it was allowed"),
    }
    println!("   A ValueError in PHP, an Err in Rust. The kernel is not asked, no slot is set.");
    slots(&second, &client);

    // Closing takes `first` away for good, which frees its address.
    println!("\n6. bind again, now that first is closed");
    socket_close(first);
    socket_bind(&second, &name.address, name.port)?;
    println!("   second is bound to {}", socket_getsockname(&second)?);
    println!("   It worked, and the old errors stay: success clears nothing.");
    slots(&second, &client);

    println!("\n7. accept, on a socket that does not listen");
    if let Err(error) = socket_accept(&second) {
        println!("   {error}");
    }
    println!("   The socket that failed is the one not made: second's slot stays as it was.");
    slots(&second, &client);

    println!("\n8. clear the slots: first second's, then the thread's");
    socket_clear_error(&second);
    slots(&second, &client);
    socket_clear_error(None);
    slots(&second, &client);

    println!("\n9. bind, to four ports");
    let ports = [
        (0, "any free port"),
        (1, "privileged: for root, or with the capability CAP_NET_BIND_SERVICE"),
        (1023, "the last of the privileged ports"),
        (65535, "the last of all: a port is a number of 16 bits"),
    ];
    for (port, meaning) in ports {
        println!("   {port:>5}  {meaning}");
        let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
        match socket_bind(&socket, "127.0.0.1", port) {
            Ok(()) => println!("          bound to {}", socket_getsockname(&socket)?),
            Err(error) => println!("          {error}"),
        }
    }

    println!("\n10. socket_strerror: a code in, its text out");
    for code in [0, SOCKET_EACCES, SOCKET_EADDRINUSE, SOCKET_ECONNREFUSED, 9999, -10001] {
        println!("   {code:>6}  {}", socket_strerror(code));
    }
    // Break it: uncomment the next line. PHP finds this mistake when it runs;
    // the Rust compiler finds it before (error E0308).
    // println!("{}", socket_strerror(&second));

    println!("\n11. socket_create, and the check that never fires");
    if let Err(error) = socket_create(AF_INET, SOCK_DGRAM, SOL_TCP) {
        println!("   {error}");
    }
    println!("   PHP gives false, and (false < 0) is false. Write: if ($socket === false)");
    Ok(())
}

/// The last errors: each socket has a slot of its own, and the thread has one for all.
fn slots(second: &Socket, client: &Socket) {
    let (second, client) = (socket_last_error(second), socket_last_error(client));
    println!("   slots: second {second}, client {client}, thread {}", socket_last_error(None));
}
