<?php
// Lesson 09 · who is calling.
