//! The terminal: a board of live rows at the lower edge, and lines of lasting interest above it.

use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::Clock;
use crate::report::board::Board;
use crate::report::event::{Event, Observer};
use crate::report::human;
use crate::report::message::{Level, Message};

/// Ten times a second: faster flickers on slow terminals and shows nothing more.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// The same as a rate, for indicatif's own guard.
const REDRAWS_PER_SECOND: u8 = 10;

/// Shows progress on a terminal. The rows vanish with the last export's end, so that what is printed then stands
/// below no leftovers.
pub struct TerminalReport {
    screen: Arc<Screen>,
    /// Dropped to end the redrawing.
    stop: Option<Sender<()>>,
    redrawing: Option<JoinHandle<()>>,
}

struct Screen {
    clock: Clock,
    bars: MultiProgress,
    state: Mutex<State>,
}

struct State {
    board: Board,
    /// One for each row shown.
    rows: Vec<ProgressBar>,
    writer: Box<dyn Write + Send>,
}

impl TerminalReport {
    /// Draws on standard error; lines that stay are written to `writer`, which is to be the same terminal.
    pub fn new(writer: Box<dyn Write + Send>, clock: Clock) -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND), writer, clock)
    }

    fn on(target: ProgressDrawTarget, writer: Box<dyn Write + Send>, clock: Clock) -> Self {
        let screen = Arc::new(Screen {
            clock,
            bars: MultiProgress::with_draw_target(target),
            state: Mutex::new(State {
                board: Board::default(),
                rows: Vec::new(),
                writer,
            }),
        });
        let (stop, stopped) = mpsc::channel();
        let drawn = Arc::clone(&screen);
        let redraw_until_stopped = move || {
            while stopped.recv_timeout(REDRAW_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                drawn.redraw(&mut drawn.state());
            }
        };
        let redrawing = thread::Builder::new()
            .name("progress".to_owned())
            .spawn(redraw_until_stopped);
        Self {
            screen,
            stop: Some(stop),
            // Without the thread the rows are redrawn only beside the lines that stay.
            redrawing: redrawing.ok(),
        }
    }
}

impl Drop for TerminalReport {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(redrawing) = self.redrawing.take() {
            let _ = redrawing.join();
        }
        let _ = self.screen.bars.clear();
    }
}

impl Observer for TerminalReport {
    fn notice(&self, event: &Event) {
        let mut state = self.screen.state();
        state.board.update(event, self.screen.clock.wall());
        let Some(message) = Message::of(event).filter(is_lasting) else {
            return;
        };
        self.screen.redraw(&mut state);
        let line = line(&message);
        let write = || {
            state
                .writer
                .write_all(line.as_bytes())
                .and_then(|()| state.writer.flush())
        };
        // There is nowhere left to say that the terminal is gone.
        let _ = self.screen.bars.suspend(write);
    }
}

impl Screen {
    /// Makes the bars show the board's rows.
    fn redraw(&self, state: &mut State) {
        let rows = state.board.rows(self.clock.wall());
        while state.rows.len() > rows.len() {
            if let Some(bar) = state.rows.pop() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        }
        while state.rows.len() < rows.len() {
            state.rows.push(self.bars.add(row()));
        }
        for (bar, row) in state.rows.iter().zip(rows) {
            bar.set_message(row);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bar that shows nothing but its message, cut to the terminal's width.
fn row() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

/// Whether a message is worth a line that stays: what the rows show already is not, unless it is a mishap.
fn is_lasting(message: &Message<'_>) -> bool {
    match message {
        Message::Started { .. }
        | Message::Progress { .. }
        | Message::Budget { .. }
        | Message::Retry { .. }
        | Message::Less { .. }
        | Message::Throttled { .. }
        | Message::Part { .. } => false,
        Message::Resumed { .. }
        | Message::Notice { .. }
        | Message::Warning { .. }
        | Message::Published { .. }
        | Message::Kept { .. }
        | Message::Failed { .. }
        | Message::Interrupted { .. } => true,
    }
}

fn line(message: &Message<'_>) -> String {
    let level = match message.level() {
        Level::Info => String::new(),
        level => format!("{level}: "),
    };
    let subject = message
        .subject()
        .map(|subject| format!("{subject}: "))
        .unwrap_or_default();
    format!("{level}{subject}{}\n", human::printable(&message.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::TermLike;

    use super::*;
    use crate::report::event::QuerySummary;

    const WIDTH: usize = 80;

    /// A terminal that breaks lines at its width, as the bars rely on, and whose screen can be read.
    #[derive(Clone, Debug, Default)]
    struct FakeTerminal(Arc<Mutex<Cells>>);

    #[derive(Debug, Default)]
    struct Cells {
        lines: Vec<[char; WIDTH]>,
        line: usize,
        column: usize,
    }

    impl Cells {
        fn line(&mut self) -> &mut [char; WIDTH] {
            let height = self.lines.len().max(self.line + 1);
            self.lines.resize(height, [' '; WIDTH]);
            &mut self.lines[self.line]
        }

        fn print(&mut self, character: char) {
            if character == '\n' || (self.column == WIDTH && character != '\r') {
                self.line += 1;
            }
            if matches!(character, '\n' | '\r') || self.column == WIDTH {
                self.column = 0;
            }
            if !matches!(character, '\n' | '\r') {
                let column = self.column;
                self.line()[column] = character;
                self.column += 1;
            }
        }
    }

    impl FakeTerminal {
        fn change(&self, change: impl FnOnce(&mut Cells)) -> io::Result<()> {
            change(&mut self.0.lock().expect("the screen"));
            Ok(())
        }

        /// What can be seen, without spaces at the ends.
        fn text(&self) -> String {
            let cells = self.0.lock().expect("the screen");
            let lines: Vec<String> = cells.lines.iter().map(|line| line.iter().collect()).collect();
            let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
            lines.join("\n").trim_end().to_owned()
        }
    }

    impl TermLike for FakeTerminal {
        fn width(&self) -> u16 {
            WIDTH as u16
        }
        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.change(|screen| screen.line = screen.line.saturating_sub(lines))
        }
        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.change(|screen| screen.line += lines)
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.change(|screen| text.chars().for_each(|character| screen.print(character)))
        }
        fn clear_line(&self) -> io::Result<()> {
            self.change(|screen| {
                screen.line().fill(' ');
                screen.column = 0;
            })
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Write for FakeTerminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_str(&String::from_utf8_lossy(bytes))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn started(query: &str) -> Event {
        Event::QueryStarted {
            query: query.to_owned(),
            run: "20260102T030405Z".to_owned(),
            resumed: None,
        }
    }

    fn interrupted(query: &str) -> Event {
        Event::QueryInterrupted {
            query: query.to_owned(),
            summary: QuerySummary::default(),
        }
    }

    #[test]
    fn rows_stand_below_the_lines_that_stay_and_vanish_in_the_end() {
        let terminal = FakeTerminal::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), u8::MAX);
        let report = TerminalReport::on(target, Box::new(terminal.clone()), Clock::system());
        report.notice(&started("demo/groups"));
        report.notice(&started("demo/a"));
        report.notice(&Event::Notice {
            query: None,
            text: "the schema is asked for again".to_owned(),
        });
        let idle = "0 rows        0 pages        0 rows/s";
        let expected =
            format!("the schema is asked for again\ndemo/groups            {idle}\ndemo/a                 {idle}");
        assert_eq!(terminal.text(), expected);
        report.notice(&interrupted("demo/groups"));
        let line = "warn: demo/groups: interrupted, the next run goes on from here";
        let expected = format!("the schema is asked for again\n{line}\ndemo/a            {idle}");
        assert_eq!(terminal.text(), expected);
        report.notice(&interrupted("demo/a"));
        let expected =
            format!("the schema is asked for again\n{line}\nwarn: demo/a: interrupted, the next run goes on from here");
        assert_eq!(terminal.text(), expected);
        drop(report);
        assert_eq!(terminal.text(), expected);
    }
}
