<?php
// Lesson 14 · options.
