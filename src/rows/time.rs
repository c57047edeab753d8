//! Dates and timestamps read from their text, by position, for there are millions of them.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const YEAR_DIGITS: usize = 4;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    days_of(bytes, b'-')
}

/// Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 text (`T` may be a space, the offset is a must).
///
/// `None` also for a fraction that is finer than a microsecond and not zero, and for a leap second: either would have
/// to be changed.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    let (micros, offset) = parse_clock(text, b'-')?;
    Some(micros - offset_seconds(offset)? * MICROS_PER_SECOND)
}

/// The same of a text without an offset, read on clocks that are so many seconds ahead of UTC. Its date may have slashes.
pub(super) fn parse_local_timestamp(text: &str, ahead: i64) -> Option<i64> {
    let separator = *text
        .as_bytes()
        .get(YEAR_DIGITS)
        .filter(|byte| matches!(byte, b'-' | b'/'))?;
    match parse_clock(text, separator)? {
        (micros, []) => Some(micros - ahead * MICROS_PER_SECOND),
        _ => None,
    }
}

/// Microseconds from 1970-01-01T00:00:00 on the same clock, and what follows them in the text.
fn parse_clock(text: &str, separator: u8) -> Option<(i64, &[u8])> {
    let (date, rest) = text.as_bytes().split_first_chunk::<10>()?;
    let (time, rest) = rest.split_first_chunk::<9>()?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = *time else {
        return None;
    };
    let (hour, minute, second) = (two_digits(h1, h2)?, two_digits(m1, m2)?, two_digits(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, offset) = match rest {
        [b'.', fraction @ ..] => split_fraction(fraction)?,
        offset => (0, offset),
    };
    let of_day = i64::from(hour * 3600 + minute * 60 + second);
    let seconds = i64::from(days_of(date, separator)?) * SECONDS_PER_DAY + of_day;
    Some((seconds * MICROS_PER_SECOND + micros, offset))
}

/// The microseconds that a fraction of a second says, and what follows it.
fn split_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    let (kept, finer) = digits.split_at(length.min(6));
    if length == 0 || finer.iter().any(|digit| *digit != b'0') {
        return None;
    }
    let value = kept.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let missing = u32::try_from(6 - kept.len()).ok()?;
    Some((value * 10_i64.pow(missing), rest))
}

/// Seconds east of UTC of `Z`, `+HH:MM` or `-HH:MM`.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn days_of(date: &[u8; 10], separator: u8) -> Option<i32> {
    let [y1, y2, y3, y4, before_month, m1, m2, before_day, d1, d2] = *date;
    if [before_month, before_day] != [separator; 2] {
        return None;
    }
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let (month, day) = (two_digits(m1, m2)?, two_digits(d1, d2)?);
    let is_real = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    is_real.then(|| days_since_epoch(year, month, day))
}

fn days_in_month(year: i32, month: i32) -> i32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is a year's
/// last.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i32 = 719_468;
    let march_year = if month > 2 { year } else { year - 1 };
    let march_month = (month + 9) % 12;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    // Months from March on begin at day 0, 31, 61, 92, …: this line passes through those steps.
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    march_year * 365 + leap_days + day_of_year - EPOCH
}

fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::Date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_of_real_apis_are_read() {
        let second = 1_586_736_000_000_000;
        for (text, micros) in [
            ("2020-04-13T00:00:00+00:00", second),
            ("2020-04-13T00:00:00Z", second),
            ("2020-04-13t00:00:00z", second),
            ("2020-04-13 02:00:00+02:00", second),
            ("2020-04-12T19:00:00-05:00", second),
            ("2020-04-13T00:00:00.155Z", second + 155_000),
            ("2020-04-13T00:00:00.372236+00:00", second + 372_236),
            ("2020-04-13T00:00:00.372236000Z", second + 372_236),
            ("1969-12-31T23:59:59.999999Z", -1),
        ] {
            assert_eq!(parse_timestamp(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_would_have_to_be_guessed_or_cut_is_refused() {
        for text in [
            "",
            "2020-04-13",
            "2020-04-13T00:00:00",
            "2020-04-13T00:00:00.1",
            "2020-04-13T00:00:00.Z",
            "2020-04-13T00:00:00.1234567Z",
            "2020-04-13T24:00:00Z",
            "2020-04-13T23:59:60Z",
            "2021-02-29T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-04-13T00:00:00+0000",
            "2020-04-13T00:00:00+00:00 ",
            "２０20-04-13T00:00:00Z",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
        for text in [
            "",
            "2020-4-1",
            "2020-02-30",
            "1900-02-29",
            "2020-00-10",
            "2020-04-00",
            "20200413",
            "2020-04-13Z",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_day_are_those_of_their_clocks() {
        let bogota = -5 * 3_600;
        let second = 1_523_148_311_000_000;
        for (text, micros) in [
            ("2018-04-07 19:45:11", second),
            ("2018-04-07T19:45:11", second),
            ("2018/04/07 19:45:11", second),
            ("2018-04-07 19:45:11.25", second + 250_000),
        ] {
            assert_eq!(parse_local_timestamp(text, bogota), Some(micros), "{text}");
        }
        for text in [
            "-",
            "2018-04-07",
            "2018-04/07 19:45:11",
            "2018-04-07 19:45:11Z",
            "2018-04-07 19:45:11-05:00",
            "2018.04.07 19:45:11",
        ] {
            assert_eq!(parse_local_timestamp(text, bogota), None, "{text}");
        }
        assert_eq!(parse_timestamp("2018/04/07 19:45:11Z"), None);
    }

    proptest! {
        #[test]
        fn dates_are_those_of_the_calendar(days in -719_528_i32..2_932_897) {
            let epoch = Date::constant(1970, 1, 1);
            let date = epoch.checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(parse_date(&date.to_string()), Some(days));
        }

        #[test]
        fn timestamps_are_those_of_another_reader(micros in -62_167_219_200_000_000_i64..253_402_214_400_000_000) {
            let text = Timestamp::from_microsecond(micros).unwrap().to_string();
            prop_assert_eq!(parse_timestamp(&text), Some(micros));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (parse_date(&text), parse_timestamp(&text), parse_local_timestamp(&text, 0));
        }
    }
}
