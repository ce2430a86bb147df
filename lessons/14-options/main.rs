//! Lesson 14 · options. Run `make lesson-14`, then its PHP twin with `make php-14`.

fn main() {}
