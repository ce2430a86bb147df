<?php
// Lesson 19 · messages.
