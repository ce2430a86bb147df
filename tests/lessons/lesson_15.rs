//! Lesson 15 beyond its demo.
