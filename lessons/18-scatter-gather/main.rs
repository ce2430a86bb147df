//! Lesson 18 · scatter and gather. Run `make lesson-18`, then its PHP twin with `make php-18`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

use text::harmless;

fn main() -> Result<()> {
    let (sender, receiver) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;

    println!("1. Gather: a message of two parts, sent with one call.");
    let body = "Hello, vector";
    // The header says how long the body is, in eight digits.
    let header = format!("{:08}", body.len());
    let mut message = socket_iovec_alloc(&[header.len()])?;
    socket_iovec_set(&mut message, 0, &header)?;
    socket_iovec_add(&mut message, body.len())?;
    socket_iovec_set(&mut message, 1, body)?;
    println!("   sender:   header '{header}', body '{body}'");
    let sent = socket_writev(&sender, &message)?;
    println!("   sender:   {sent} bytes with one system call; nobody has put them together before");

    println!("2. Scatter: received into two buffers, with one call.");
    let mut buffers = socket_iovec_alloc(&[8, 1024])?;
    let count = socket_readv(&receiver, &mut buffers)?;
    println!("   receiver: {count} bytes");
    println!("   receiver: header '{}'", harmless(&socket_iovec_fetch(&buffers, 0)?));
    println!("   receiver: body '{}'", harmless(&socket_iovec_fetch(&buffers, 1)?));

    println!("3. Elements are replaced, added and deleted.");
    socket_iovec_set(&mut message, 0, "00000003")?;
    socket_iovec_set(&mut message, 1, "one")?;
    socket_iovec_add(&mut message, 0)?;
    socket_iovec_set(&mut message, 2, "(a trailer)")?;
    socket_iovec_delete(&mut message, 2)?;
    let sent = socket_writev(&sender, &message)?;
    println!("   sender:   {sent} bytes: the trailer was added, and deleted again");
    socket_iovec_set(&mut message, 1, "two")?;
    let more = socket_writev(&sender, &message)?;
    println!("   sender:   {more} bytes more");

    println!("4. A stream has no records, so take no more than the header and its body.");
    let mut buffers = socket_iovec_alloc(&[8, 3])?;
    let mut left = sent + more;
    while left > 0 {
        // Less could come than the buffers hold, as with every read: on a network this would need another loop.
        let count = socket_readv(&receiver, &mut buffers)?;
        left -= count.min(left);
        let body = socket_iovec_fetch(&buffers, 1)?;
        println!("   receiver: {count} bytes, body '{}'", harmless(&body));
    }
    match socket_iovec_fetch(&buffers, 2) {
        Ok(data) => println!("   receiver: a third element '{}'", harmless(&data)),
        Err(_) => println!("   receiver: there is no third element"),
    }

    socket_iovec_free(message);
    // Break it: uncomment the next line, which sends what has just been freed (error E0382).
    // socket_writev(&sender, &message)?;
    socket_iovec_free(buffers);
    socket_close(sender);
    socket_close(receiver);
    Ok(())
}
