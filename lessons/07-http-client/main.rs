//! Lesson 07 · the HTTP client. Run `make lesson-07`, then its PHP twin with `make php-07`.

fn main() {}
