//! Text in aligned columns.

/// On which side the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a line of headings.
pub(crate) struct Columns<const N: usize> {
    aligns: [Align; N],
    lines: Vec<[String; N]>,
}

impl<const N: usize> Columns<N> {
    /// A table with these headings and no lines.
    pub(crate) fn new(headings: &[(&str, Align); N]) -> Self {
        Self {
            aligns: headings.map(|(_, align)| align),
            lines: vec![headings.map(|(heading, _)| heading.to_owned())],
        }
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, cells: [String; N]) {
        self.lines.push(cells);
    }

    /// The table with a line break after each line; nothing where it has no line but its headings.
    pub(crate) fn render(&self) -> String {
        if self.lines.len() == 1 {
            return String::new();
        }
        let width = |column: usize| {
            self.lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let mut text = String::new();
        for line in &self.lines {
            let mut rendered = String::new();
            for ((cell, width), align) in line.iter().zip(widths).zip(self.aligns) {
                rendered += &match align {
                    Align::Left => format!("{cell:width$}  "),
                    Align::Right => format!("{cell:>width$}  "),
                };
            }
            text += rendered.trim_end();
            text.push('\n');
        }
        text
    }
}
