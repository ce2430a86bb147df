//! Lesson 13 beyond its demo.
