<?php
// Lesson 16 · uDP.
