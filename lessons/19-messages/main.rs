//! Lesson 19 · messages. Run `make lesson-19`, then its PHP twin with `make php-19`.

fn main() {}
