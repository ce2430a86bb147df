//! Lesson 16 beyond its demo.
