//! Lesson 24 · into Rust. Run `make lesson-24`, then its PHP twin with `make php-24`.

fn main() {}
