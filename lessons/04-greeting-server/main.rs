//! Lesson 04 · the greeting server. Run `make lesson-04`, then its PHP twin with `make php-04`.

fn main() {}
