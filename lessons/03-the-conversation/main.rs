//! Lesson 03.
use php_sockets::*;

fn main() -> Result<()> {
    let s = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&s, "127.0.0.1", 0)?;
    socket_listen(&s, 1)?;
    let n = socket_getsockname(&s)?;
    let c = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&c, "127.0.0.1", n.port)?;
    let d = socket_accept(&s)?;
    socket_write(&c, "hello\n", None)?;
    println!("{:?}", socket_read(&d, 100, PHP_NORMAL_READ)?);
    socket_close(c);
    let _ = getprotobyname("tcp");
    Ok(())
}
