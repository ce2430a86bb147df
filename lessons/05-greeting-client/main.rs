//! Lesson 05 · the greeting client. Run `make lesson-05`, then its PHP twin with `make php-05`.

fn main() {}
