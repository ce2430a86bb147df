//! Lesson 08 · the port scanner. Run `make lesson-08`, then its PHP twin with `make php-08`.

fn main() {}
