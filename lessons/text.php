<?php
// Bytes from other programs, as text for a screen. The lessons speak UTF-8; bytes that are none are shown as U+FFFD.

/**
 * The text of these bytes. A `?` stands for each character that could repaint the screen, turn the order of the letters, or
 * hide among them: control characters and their kin, Unicode's format characters without a shape of their own and its
 * invisible letters. U+202E shows what follows from right to left, U+E0041 is an A that nothing shows. The two joiners (U+200C,
 * U+200D) are spelling: Persian words and many emoji need them. Those in `$kept` may stay.
 */
function harmless(string $bytes, string $kept = ''): string
{
    // As Rust's from_utf8_lossy has it. (mb_scrub needs an extension.)
    $text = htmlspecialchars($bytes, ENT_NOQUOTES | ENT_SUBSTITUTE, 'UTF-8');
    $kin = '\x{ad}\x{61c}\x{115f}\x{1160}\x{180e}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}'
        . '\x{feff}\x{ffa0}\x{fff9}-\x{fffb}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e007f}';
    $shown = fn (array $found) => str_contains($kept, $found[0]) ? $found[0] : '?';
    return preg_replace_callback("/[\\p{Cc}$kin]/u", $shown, htmlspecialchars_decode($text, ENT_NOQUOTES));
}

/** How many of these bytes are whole characters: a limit may have cut the last one in two. */
function whole(string $bytes): int
{
    // A first byte says how long its character is, and some what may follow.
    $begun = '[\xc2-\xdf]|\xe0[\xa0-\xbf]?|[\xe1-\xec\xee\xef][\x80-\xbf]?|\xed[\x80-\x9f]?'
        . '|\xf0([\x90-\xbf][\x80-\xbf]?)?|[\xf1-\xf3][\x80-\xbf]{0,2}|\xf4([\x80-\x8f][\x80-\xbf]?)?';
    return strlen($bytes) - (preg_match("/($begun)\\z/", $bytes, $found) ? strlen($found[0]) : 0);
}
