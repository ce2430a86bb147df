<?php
// Lesson 12 · threads.
