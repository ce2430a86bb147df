//! Bytes from other programs, as text for a screen. The lessons speak UTF-8; bytes that are none are shown as U+FFFD.

#![allow(dead_code, reason = "each lesson uses a part of it")]

/// The text of these bytes. A `?` stands for each character that could repaint the screen, turn the order of the letters, or
/// hide among them.
pub(crate) fn harmless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(is_control, "?")
}

/// Control characters and their kin, Unicode's format characters without a shape of their own and its invisible letters:
/// U+202E shows what follows from right to left, U+E0041 is an A that nothing shows. The two joiners (U+200C, U+200D) are spelling: Persian words and many emoji need them.
pub(crate) fn is_control(character: char) -> bool {
    let kin = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}');
    character.is_control() || kin
}

/// How many of these bytes are whole characters: a limit may have cut the last one in two.
pub(crate) fn whole(bytes: &[u8]) -> usize {
    let end = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    // An error without a length: the bytes are right so far, and more would have to follow.
    let begun = std::str::from_utf8(end).is_err_and(|error| error.error_len().is_none());
    if begun { bytes.len() - end.len() } else { bytes.len() }
}
