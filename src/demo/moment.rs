//! Generated moments, and the ways in which APIs write them.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;

use crate::demo::entropy::Entropy;

/// A moment, exact to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

/// An offset from UTC, and how it is written: `Z`, or `+05:30`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct UtcOffset {
    text: String,
    offset: Offset,
}

/// A text that is no offset from UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no offset from UTC: use Z, or a form such as +05:30")]
pub(crate) struct OffsetError(String);

impl Moment {
    /// A moment in `from..to`, to the microsecond.
    pub(crate) fn between(from: Timestamp, to: Timestamp, entropy: &mut Entropy) -> Self {
        let (from, to) = (from.as_microsecond(), to.as_microsecond());
        let drawn = entropy.below(to.abs_diff(from).max(1));
        Self(Timestamp::from_microsecond(from.saturating_add_unsigned(drawn)).unwrap_or_default())
    }

    /// The moment in RFC 3339 form, with one of `offsets` (else `Z`) and one of `fractions` digits (else none);
    /// digits that are left out are cut, not rounded.
    pub(crate) fn rfc3339(self, offsets: &[UtcOffset], fractions: &[u8], entropy: &mut Entropy) -> String {
        let (text, offset) = match entropy.pick(offsets) {
            Some(picked) => (picked.text.as_str(), picked.offset),
            None => ("Z", Offset::UTC),
        };
        let digits = usize::from(entropy.pick(fractions).copied().unwrap_or(0).min(9));
        let local = offset.to_datetime(self.0);
        let (date, time) = (local.date(), local.time());
        let nanoseconds = format!("{:09}", time.subsec_nanosecond());
        let (fraction, _) = nanoseconds.split_at(digits);
        let point = if digits == 0 { "" } else { "." };
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        format!("{date}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{text}")
    }

    /// The moment as clocks at that offset show it, with that separator in its date.
    pub(crate) fn local(self, offset: &UtcOffset, separator: char) -> String {
        let local = offset.offset.to_datetime(self.0);
        let (date, time) = (local.date(), local.time());
        let date = date.to_string().replace('-', &separator.to_string());
        format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }

    /// The day in UTC, as `YYYY-MM-DD`.
    pub(crate) fn date(self) -> String {
        Offset::UTC.to_datetime(self.0).date().to_string()
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = OffsetError;

    fn try_from(text: String) -> Result<Self, OffsetError> {
        match offset(&text) {
            Some(offset) => Ok(Self { text, offset }),
            None => Err(OffsetError(text)),
        }
    }
}

fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment(text.parse().unwrap())
    }

    fn written(text: &str, offset: &str, digits: u8) -> String {
        let offset = UtcOffset::try_from(offset.to_owned()).unwrap();
        moment(text).rfc3339(&[offset], &[digits], &mut Entropy::of_seed(1))
    }

    #[test]
    fn local_times_are_those_of_clocks_elsewhere() {
        let bogota = UtcOffset::try_from("-05:00".to_owned()).unwrap();
        let text = moment("2018-04-08T00:45:11.9Z").local(&bogota, '/');
        assert_eq!(text, "2018/04/07 19:45:11");
    }

    #[test]
    fn moments_are_written_with_their_offset_and_fraction() {
        assert_eq!(
            written("2026-03-01T04:00:00.125678Z", "+05:30", 3),
            "2026-03-01T09:30:00.125+05:30"
        );
        assert_eq!(
            written("2026-01-01T00:00:01Z", "-03:30", 0),
            "2025-12-31T20:30:01-03:30"
        );
        assert_eq!(written("1969-12-31T23:59:59.5Z", "Z", 6), "1969-12-31T23:59:59.500000Z");
        assert_eq!(moment("1969-12-31T23:59:59.5Z").date(), "1969-12-31");
    }

    #[test]
    fn moments_lie_between_their_bounds() {
        let (from, to) = (moment("1968-06-01T00:00:00Z").0, moment("1970-06-01T00:00:00Z").0);
        let mut entropy = Entropy::of_seed(4);
        let drawn: Vec<Moment> = (0..500).map(|_| Moment::between(from, to, &mut entropy)).collect();
        assert!(drawn.iter().all(|moment| (from..to).contains(&moment.0)));
        let before_1970 = drawn.iter().filter(|moment| moment.0 < Timestamp::UNIX_EPOCH).count();
        assert!((100..500).contains(&before_1970), "{before_1970} of 500");
    }

    #[test]
    fn offsets_are_checked() {
        for text in ["", "05:30", "+5", "+aa:00", "UTC"] {
            assert_eq!(UtcOffset::try_from(text.to_owned()), Err(OffsetError(text.to_owned())));
        }
    }
}
