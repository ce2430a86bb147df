//! Lesson 09 beyond its demo.
