//! Lesson 20 beyond its demo.
