//! Words below a picture: a heading, and a line or two that explain it.

use embedded_graphics::Drawable as _;
use embedded_graphics::geometry::Point;
use embedded_graphics::mono_font::iso_8859_1::{
    FONT_6X10, FONT_6X13, FONT_6X13_BOLD, FONT_9X18, FONT_9X18_BOLD,
};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::{Baseline, Text};

use super::canvas::Canvas;

/// Lines of explanation at most.
const TEXT_LINES: usize = 2;

/// The letters of a sheet.
pub(super) struct Lettering {
    heading: &'static MonoFont<'static>,
    text: &'static MonoFont<'static>,
}

impl Lettering {
    /// Letters that suit pictures of this longest side.
    pub(super) fn for_cells(cell_px: u32) -> Self {
        let (heading, text) = match cell_px {
            0..200 => (&FONT_6X10, &FONT_6X10),
            200..400 => (&FONT_6X13_BOLD, &FONT_6X13),
            _ => (&FONT_9X18_BOLD, &FONT_9X18),
        };
        Self { heading, text }
    }

    /// Room for a heading alone, or for a heading and all lines of explanation, in pixels.
    pub(super) fn height_px(&self, has_text: bool) -> u32 {
        let text_height = self.text.character_size.height * TEXT_LINES as u32;
        self.heading.character_size.height + if has_text { text_height } else { 0 }
    }

    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        (left, top): (u32, u32),
        width_px: u32,
        caption: (&str, &str),
    ) {
        const HEADING: Rgb888 = Rgb888::new(236, 236, 236);
        const TEXT: Rgb888 = Rgb888::new(160, 160, 160);
        let letters = |font: &MonoFont<'_>| (width_px / font.character_size.width) as usize;
        let (heading, text) = (plain(caption.0), plain(caption.1));
        let mut y = top;
        let mut write = |line: &str, font: &'static MonoFont<'static>, colour| {
            let style = MonoTextStyle::new(font, colour);
            let place = Point::new(left as i32, y as i32);
            let drawn = Text::with_baseline(line, place, style, Baseline::Top).draw(canvas);
            drawn.expect("a canvas takes every pixel");
            y += font.character_size.height;
        };
        for line in wrapped(&heading, letters(self.heading), 1) {
            write(&line, self.heading, HEADING);
        }
        for line in wrapped(&text, letters(self.text), TEXT_LINES) {
            write(&line, self.text, TEXT);
        }
    }
}

/// The text in lines of at most `letters` letters, broken between words; what does not fit ends in dots.
fn wrapped(text: &str, letters: usize, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let is_cut = lines.len() > max_lines;
    lines.truncate(max_lines);
    let last = lines.len().saturating_sub(1);
    for (place, line) in lines.iter_mut().enumerate() {
        let goes_on = is_cut && place == last;
        if goes_on || line.chars().count() > letters {
            let room = letters.saturating_sub(3);
            let kept: String = line.chars().take(room).collect();
            *line = kept.trim_end_matches(|letter: char| !letter.is_alphanumeric()).to_owned() + "...";
        }
    }
    lines
}

/// The text in letters that the fonts have (Latin-1): dashes, quotes and long vowels lose what they lack there.
fn plain(text: &str) -> String {
    let fold = |letter| match letter {
        '\u{2010}'..='\u{2015}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        'ā' => 'a',
        'ē' => 'e',
        'ī' => 'i',
        'ō' => 'o',
        'ū' => 'u',
        'Ō' => 'O',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    text.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_end_in_dots() {
        assert_eq!(wrapped("the great wave", 9, 2), ["the great", "wave"]);
        assert_eq!(wrapped("the great wave off", 9, 1), ["the gr..."]);
        assert_eq!(wrapped("Kanagawanokiurananoha", 10, 2), ["Kanagaw..."]);
        assert_eq!(wrapped("Hokusai, c. 1831", 11, 1), ["Hokusai..."]);
        assert!(wrapped(" ", 9, 2).is_empty());
        for letters in 0..12 {
            for line in wrapped("a word and another one", letters, 2) {
                assert!(line.chars().count() <= letters.max(3), "{line} in {letters}");
            }
        }
    }

    #[test]
    fn letters_that_the_fonts_lack_are_folded() {
        assert_eq!(plain("Kōrin – “Irises”\n"), "Korin - \"Irises\" ");
        assert_eq!(plain("Édouard"), "Édouard");
    }
}
