//! Lesson 15 · the epoll chat. Run `make lesson-15`, then its PHP twin with `make php-15`.

fn main() {}
