<?php
// Lesson 11 · the backlog.
