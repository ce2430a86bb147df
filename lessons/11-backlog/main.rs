//! Lesson 11 · the backlog. Run `make lesson-11`, then its PHP twin with `make php-11`.

fn main() {}
