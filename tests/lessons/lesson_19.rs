//! Lesson 19 beyond its demo.
