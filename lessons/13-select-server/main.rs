//! Lesson 13 · the select server. Run `make lesson-13`, then its PHP twin with `make php-13`.

fn main() {}
