//! Lesson 06 beyond its demo.
