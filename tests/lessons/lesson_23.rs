//! Lesson 23 beyond its demo.
