//! Lesson 22 · the HTTP server. Run `make lesson-22`, then its PHP twin with `make php-22`.

fn main() {}
