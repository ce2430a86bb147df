//! Lesson 10 beyond its demo.
