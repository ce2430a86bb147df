//! Lesson 09 · who is calling. Run `make lesson-09`, then its PHP twin with `make php-09`.

fn main() {}
