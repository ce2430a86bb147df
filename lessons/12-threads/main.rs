//! Lesson 12 · threads. Run `make lesson-12`, then its PHP twin with `make php-12`.

fn main() {}
