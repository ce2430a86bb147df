//! Lesson 22 beyond its demo.
