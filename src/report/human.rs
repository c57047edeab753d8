//! Numbers as people read them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// `12,345`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12,345 rows`, `1 row`
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `512 B`, `1.2 MiB`
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut scaled = number as f64 / 1024.0;
    let mut unit = 0;
    // What would be shown as 1024.0 is shown as 1.0 of the next unit.
    while scaled >= 1023.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

/// `250ms`, `4.2s`, `1m 05s`, `2h 03m`
pub(crate) fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    // What would be shown as 60.0s is shown as 1m 00s.
    if millis < 1000 {
        return format!("{millis}ms");
    }
    if millis < 59_950 {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    let seconds = (millis + 500) / 1000;
    match seconds {
        0..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The length of a window: `10s`, `1m`
pub(crate) fn window(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// `2026-01-02T03:04:05.678Z`
pub(crate) fn time(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Text from outside without the signs that steer a terminal; further lines are indented.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => printable.push_str("\n    "),
            '\r' => {}
            character if character.is_control() => printable.push(char::REPLACEMENT_CHARACTER),
            character => printable.push(character),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345, "12,345"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn sizes_have_one_decimal_and_never_1024_of_a_unit() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_258_291, "1.2 MiB"),
            (1_048_575, "1.0 MiB"),
            (5 << 40, "5.0 TiB"),
            (5000 << 40, "5000.0 TiB"),
        ];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0, "0ms"),
            (999, "999ms"),
            (1000, "1.0s"),
            (4240, "4.2s"),
            (59_949, "59.9s"),
            (59_999, "1m 00s"),
            (65_000, "1m 05s"),
            (3_599_999, "1h 00m"),
            (7_380_000, "2h 03m"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(window(Duration::from_secs(90)), "1m 30s");
    }

    #[test]
    fn times_are_in_utc() {
        let time_at = |millis| time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(time_at(1_700_000_000_042), "2023-11-14T22:13:20.042Z");
    }

    #[test]
    fn text_cannot_steer_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\td\n"), "a\u{fffd}[2Jb\n    c\u{fffd}d");
    }
}
