//! Lesson 21 · ping. Run `make lesson-21`, then its PHP twin with `make php-21`.

fn main() {}
