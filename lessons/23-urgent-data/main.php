<?php
// Lesson 23 · urgent data.
