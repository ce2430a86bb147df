//! Lesson 01 beyond what it prints.
