//! Lesson 06 · the reverse server. Run `make lesson-06`, then its PHP twin with `make php-06`.

fn main() {}
