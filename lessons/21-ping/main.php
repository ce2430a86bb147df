<?php
// Lesson 21 · ping.
