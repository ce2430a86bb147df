//! Lesson 16 · UDP. Run `make lesson-16`, then its PHP twin with `make php-16`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

use text::harmless;

fn main() -> Result<()> {
    let mut data = Vec::new();

    println!("1. No connection: every datagram carries its own address.");
    let server = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_bind(&server, "127.0.0.1", 0)?;
    let here = socket_getsockname(&server)?;
    println!("   server: bound to {here}; it does not listen, and accepts nobody");
    let alice = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    let sent = socket_sendto(&alice, "hello", 5, 0, &here.address, here.port)?;
    println!("   alice:  sends {sent} bytes to {here}");
    let (_, from) = socket_recvfrom(&server, &mut data, 1024, 0)?;
    println!("   server: received '{}' from {from}", harmless(&data));
    // An echo: the answer goes where the question came from.
    socket_sendto(&server, &data, data.len(), 0, &from.address, from.port)?;
    let (_, from) = socket_recvfrom(&alice, &mut data, 1024, 0)?;
    println!("   alice:  received '{}' from {from}", harmless(&data));

    println!("2. Boundaries are kept: what was sent with one call arrives with one call.");
    for word in ["one", "two", ""] {
        let sent = socket_sendto(&alice, word, word.len(), 0, &here.address, here.port)?;
        println!("   alice:  sends {sent} bytes");
    }
    for _ in 0..3 {
        let (length, _) = socket_recvfrom(&server, &mut data, 1024, 0)?;
        println!("   server: received {length} bytes: '{}'", harmless(&data));
    }

    println!("3. What does not fit into the buffer is lost.");
    socket_sendto(&alice, "cut me off", 10, 0, &here.address, here.port)?;
    let (length, _) = socket_recvfrom(&server, &mut data, 3, 0)?;
    println!("   server: asked for 3 bytes, received {length}: '{}'", harmless(&data));
    // Without MSG_DONTWAIT this would wait for ever.
    match socket_recvfrom(&server, &mut data, 1024, MSG_DONTWAIT) {
        Ok((length, _)) => println!("   server: {length} bytes more"),
        Err(error) => println!("   server: the rest? {}", socket_strerror(error.code())),
    }
    match socket_sendto(&alice, vec![b'x'; 65_508], 65_508, 0, &here.address, here.port) {
        Ok(sent) => println!("   alice:  sends {sent} bytes"),
        Err(error) => println!("   alice:  {error}"),
    }

    println!("4. connect sends nothing. It only says who the other end is.");
    let bob = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_connect(&bob, "127.0.0.1", here.port)?;
    println!("   bob:    connected to {}", socket_getpeername(&bob)?);
    socket_send(&bob, "it is me", 8, 0)?;
    let (_, from) = socket_recvfrom(&server, &mut data, 1024, 0)?;
    println!("   server: received '{}' from {from}", harmless(&data));
    socket_sendto(&alice, "hi Bob", 6, 0, "127.0.0.1", from.port)?;
    match socket_recv(&bob, &mut data, 1024, MSG_DONTWAIT) {
        Ok(length) => println!("   bob:    {length} bytes"),
        Err(error) => println!("   bob:    from alice? {}", socket_strerror(error.code())),
    }

    println!("5. Nobody is there, and only the connected socket learns it.");
    // Break it: uncomment the next line, which would close what it only borrows (error E0308).
    // socket_close(&server);
    socket_close(server);
    for (name, socket) in [("alice", &alice), ("bob", &bob)] {
        let sent = match name {
            "bob" => socket_send(socket, "hello?", 6, 0)?,
            _ => socket_sendto(socket, "hello?", 6, 0, "127.0.0.1", here.port)?,
        };
        match socket_recv(socket, &mut data, 1024, MSG_DONTWAIT) {
            Ok(length) => println!("   {name}: sent {sent} bytes, received {length}"),
            Err(error) => println!("   {name}: sent {sent} bytes; {}", socket_strerror(error.code())),
        }
    }
    socket_close(alice);
    socket_close(bob);
    Ok(())
}
