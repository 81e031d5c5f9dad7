//! Numbers as people read them.

/// A quantity in four figures: `0.01235`, `12.34`, `1234`, `1.234e7`.
pub(crate) fn quantity(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-3..1e6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let whole_digits = magnitude.log10().floor() as i32 + 1;
    format!("{value:.*}", (4 - whole_digits).max(0) as usize)
}

/// The same text with the thousands of a whole number set apart: `12 345`.
pub(crate) fn grouped(text: &str) -> String {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut grouped = String::new();
    for (place, digit) in text.chars().enumerate() {
        if place > 0 && (text.len() - place).is_multiple_of(3) {
            grouped.push('\u{a0}'); // keeps a number on one line
        }
        grouped.push(digit);
    }
    grouped
}

/// A duration in its two largest units: `45 s`, `12 min 5 s`, `4 h 12 min`, `2 d 3 h`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_four_figures() {
        let texts = [0.0, 0.012_346, 0.5, 12.344, 1234.4, 123_456.7, 1.234_4e7, -5678.0, 2e-5].map(quantity);
        assert_eq!(
            texts,
            ["0", "0.01235", "0.5000", "12.34", "1234", "123457", "1.234e7", "-5678", "2.000e-5"]
        );
    }

    #[test]
    fn durations_have_two_units() {
        let texts = [0.4, 45.0, 725.0, 15_120.0, 183_600.0].map(duration);
        assert_eq!(texts, ["0 s", "45 s", "12 min 5 s", "4 h 12 min", "2 d 3 h"]);
    }

    #[test]
    fn whole_numbers_are_grouped() {
        let spaced = |text| grouped(text).replace('\u{a0}', " ");
        assert_eq!(
            ["999", "1234567", "1234.5", "1.234e7"].map(spaced),
            ["999", "1 234 567", "1234.5", "1.234e7"]
        );
    }
}
