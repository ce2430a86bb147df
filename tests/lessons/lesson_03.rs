//! Lesson 03 beyond what it prints.
