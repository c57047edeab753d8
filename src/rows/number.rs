//! Numbers read from their text without the detour over a float, so that no digit is lost.

/// The most significant digits that are taken: all numbers of 38 digits fit an `i128`.
const MAX_DIGITS: u32 = 38;

/// A number exactly as its text says: `unscaled * 10^exponent`, where `unscaled` has no zero at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExactNumber {
    unscaled: i128,
    exponent: i64,
}

impl ExactNumber {
    /// Reads digits with an optional minus, fraction and exponent, as JSON writes numbers (zeros at the front are let
    /// pass). `None` for anything else, and for more than 38 significant digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest.as_bytes()),
            None => (false, text.as_bytes()),
        };
        let mut digits = Digits::default();
        let mut rest = digits.take_run(unsigned)?;
        if let [b'.', fraction @ ..] = rest {
            rest = digits.take_run(fraction)?;
            digits.places += i64::try_from(fraction.len() - rest.len()).ok()?;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', power @ ..] => parse_power(power)?,
            _ => return None,
        };
        if digits.unscaled == 0 {
            return Some(Self {
                unscaled: 0,
                exponent: 0,
            });
        }
        Some(Self {
            unscaled: if is_negative { -digits.unscaled } else { digits.unscaled },
            exponent: exponent + i64::from(digits.zeros) - digits.places,
        })
    }

    /// The number times `10^scale`, where that is a whole number of at most 38 digits.
    pub(super) fn scaled(self, scale: u8) -> Option<i128> {
        if self.unscaled == 0 {
            return Some(0);
        }
        // A negative shift would cut digits that are not zero: there are none at the end of `unscaled`.
        let shift = u32::try_from(self.exponent + i64::from(scale)).ok()?;
        if shift > MAX_DIGITS {
            return None;
        }
        self.unscaled.checked_mul(10_i128.pow(shift))
    }

    /// The number as a 64-bit integer, where it is one.
    pub(super) fn integer(self) -> Option<i64> {
        i64::try_from(self.scaled(0)?).ok()
    }
}

/// Digits gathered so far.
#[derive(Default)]
struct Digits {
    unscaled: i128,
    /// Significant digits in `unscaled`.
    count: u32,
    /// Zeros after the last other digit; they join `unscaled` only if another digit follows.
    zeros: u32,
    /// How many digits stood behind the point.
    places: i64,
}

impl Digits {
    /// Takes the digits that `text` begins with, at least one, and returns what follows.
    fn take_run<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let length = text
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(text.len());
        let (run, rest) = text.split_at(length);
        for byte in run {
            self.take(byte - b'0')?;
        }
        (length > 0).then_some(rest)
    }

    fn take(&mut self, digit: u8) -> Option<()> {
        if digit == 0 {
            self.zeros += u32::from(self.count > 0);
            return Some(());
        }
        self.count += self.zeros + 1;
        if self.count > MAX_DIGITS {
            return None;
        }
        let places = if self.zeros == 0 {
            10
        } else {
            10_i128.pow(self.zeros + 1)
        };
        self.unscaled = self.unscaled * places + i128::from(digit);
        self.zeros = 0;
        Some(())
    }
}

/// The digits after the `e`. Powers too large for any number that fits stay large, and so fit nothing.
fn parse_power(text: &[u8]) -> Option<i64> {
    const LARGEST: i64 = 1_000_000_000_000;
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut power = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        power = (power * 10 + i64::from(byte - b'0')).min(LARGEST);
    }
    Some(sign * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(text: &str, scale: u8) -> Option<i128> {
        ExactNumber::parse(text)?.scaled(scale)
    }

    #[test]
    fn whole_numbers_are_exact_however_they_are_written() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("0.0e5", 0),
            ("12", 12),
            ("-12", -12),
            ("1.0", 1),
            ("1e3", 1000),
            ("1.50E+1", 15),
            ("1200e-2", 12),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(ExactNumber::parse(text).unwrap().integer(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_whole_64_bit_number_is_none() {
        for text in [
            "1.5",
            "1e400",
            "1e-1",
            "9223372036854775808",
            "-9223372036854775809",
            "1e19",
            "1e99999999999999999999",
        ] {
            assert_eq!(ExactNumber::parse(text).and_then(ExactNumber::integer), None, "{text}");
        }
        assert_eq!(ExactNumber::parse("1.0000000000000000000000000000000000000001"), None);
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in [
            "", "-", "+1", ".5", "5.", "1e", "1e+", "1x", " 1", "1 ", "NaN", "Infinity", "0x1", "--1", "1.2.3", "١",
        ] {
            assert_eq!(ExactNumber::parse(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_keep_every_digit_or_do_not_fit() {
        assert_eq!(scaled("12345.67", 2), Some(1_234_567));
        assert_eq!(scaled("12345.670", 2), Some(1_234_567));
        assert_eq!(scaled("12345.678", 2), None);
        assert_eq!(scaled("0.05", 2), Some(5));
        assert_eq!(scaled("-0.1", 1), Some(-1));
        assert_eq!(scaled("100", 2), Some(10_000));
        let widest = "99999999999999999999999999999999999999";
        assert_eq!(scaled(widest, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(scaled("100000000000000000000000000000000000001.5", 1), None);
        assert_eq!(scaled(widest, 1), None);
        assert_eq!(scaled("1e38", 1), None);
    }
}
