//! Lesson 23 · urgent data. Run `make lesson-23`, then its PHP twin with `make php-23`.

fn main() {}
