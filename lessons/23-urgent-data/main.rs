//! Lesson 23 · urgent data. Run `make lesson-23`, then its PHP twin with `make php-23`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

use text::harmless;

fn main() -> Result<()> {
    println!("1. A byte that overtakes the others.");
    let (client, server) = connection()?;
    socket_send(&client, "abc", 3, 0)?;
    socket_send(&client, "!", 1, MSG_OOB)?;
    socket_send(&client, "def", 3, 0)?;
    println!("   client: sends 'abc', then '!' as urgent, then 'def'");
    let mut except = vec![&server];
    let count = socket_select(None, None, Some(&mut except), 10, 0)?;
    println!("   server: select's third set says urgent data has come: {count}");
    // Both ends are in this kernel: what has been sent is here.
    println!("   server: at the mark? {}", yes(socket_atmark(&server)?));
    println!("   server: reads '{}', and no further than the mark", harmless(&read(&server)?));
    println!("   server: at the mark? {}", yes(socket_atmark(&server)?));
    let mut urgent = Vec::new();
    socket_recv(&server, &mut urgent, 1, MSG_OOB)?;
    println!("   server: the urgent byte is '{}'", harmless(&urgent));
    println!("   server: reads '{}'", harmless(&read(&server)?));

    println!("2. To look is not to take.");
    socket_write(&client, "look", None)?;
    let mut seen = Vec::new();
    socket_recv(&server, &mut seen, 1024, MSG_PEEK)?;
    println!("   server: sees '{}', and reads '{}' all the same", harmless(&seen), harmless(&read(&server)?));

    println!("3. Half a connection: one side has said everything, and still listens.");
    socket_write(&client, "my last words", None)?;
    socket_shutdown(&client, SHUT_WR)?;
    println!("   server: reads '{}', then '{}'", harmless(&read(&server)?), harmless(&read(&server)?));
    socket_write(&server, "I have heard you", None)?;
    println!("   client: reads '{}'", harmless(&read(&client)?));
    writes("client: writes", &client);

    println!("4. Four ways to end, and what comes of a read or a write then.");
    let (client, server) = connection()?;
    socket_close(client);
    reads("closed: read", &server);
    // The first write goes to a closed socket, whose kernel answers with a reset.
    writes("closed: first write", &server);
    writes("closed: second write", &server);

    let (client, server) = connection()?;
    // Break it: uncomment the next line: l_linger is a number of seconds, not a fraction (error E0308).
    // socket_set_option(&client, SOL_SOCKET, SO_LINGER, Linger::new(1, 0.5))?;
    socket_set_option(&client, SOL_SOCKET, SO_LINGER, Linger::new(1, 0))?;
    socket_close(client);
    reads("reset: read", &server);

    let (client, server) = connection()?;
    socket_write(&server, "never read", None)?;
    socket_close(client);
    reads("closed with bytes unread: read", &server);

    let (_client, server) = connection()?;
    socket_shutdown(&server, SHUT_RD)?;
    reads("own SHUT_RD: read", &server);
    socket_shutdown(&server, SHUT_RDWR)?;
    writes("own SHUT_RDWR: write", &server);
    Ok(())
}

/// Both ends of a new connection.
fn connection() -> Result<(Socket, Socket)> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, 1)?;
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&client, "127.0.0.1", socket_getsockname(&listener)?.port)?;
    let server = socket_accept(&listener)?;
    Ok((client, server))
}

fn read(socket: &Socket) -> Result<Vec<u8>> {
    socket_read(socket, 1024, PHP_BINARY_READ)
}

/// Reads, and prints the bytes or the error.
fn reads(what: &str, socket: &Socket) {
    match read(socket) {
        Ok(data) => println!("   {what}: '{}'", harmless(&data)),
        Err(error) => println!("   {what}: [{}] {}", error.code(), socket_strerror(error.code())),
    }
}

/// Writes, and prints how much the kernel took, or the error.
fn writes(what: &str, socket: &Socket) {
    match socket_write(socket, "hello?", None) {
        Ok(sent) => println!("   {what}: {sent} bytes"),
        Err(error) => println!("   {what}: [{}] {}", error.code(), socket_strerror(error.code())),
    }
}

fn yes(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
