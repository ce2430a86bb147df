//! Lesson 16 · uDP. Run `make lesson-16`, then its PHP twin with `make php-16`.

fn main() {}
