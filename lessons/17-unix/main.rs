//! Lesson 17 · unix sockets. Run `make lesson-17`, then its PHP twin with `make php-17`.

fn main() {}
