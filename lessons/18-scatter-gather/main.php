<?php
// Lesson 18 · scatter and gather.
