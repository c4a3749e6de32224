//! What a person sees of a run: lines that stay and, on a terminal, a region below them with what runs now.
//!
//! State in, text out: nothing here writes, has a clock or asks how large a screen is. Whoever drives a
//! view hands all of that in, and writes what it gives.

mod clean;
mod line;
mod region;
mod screen;
mod streams;
mod tail;
mod width;

use std::time::Duration;

pub use clean::clean;
use region::Region;
use screen::Screen;
use streams::Streams;
pub use width::fit;

/// How long a picture stands at least.
const FRAME: Duration = Duration::from_millis(100);
/// So much that waits to be said must not wait for the next picture: tasks may write without end.
const MUCH: usize = 1 << 20;

/// How large a screen is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

impl Size {
    /// What terminals have been by default since there were any.
    pub const USUAL: Self = Self {
        columns: 80,
        rows: 24,
    };

    /// The size that a terminal tells of itself; some tell that they have none.
    pub fn told(columns: usize, rows: usize) -> Self {
        Self {
            columns: if columns == 0 { 80 } else { columns },
            rows: if rows == 0 { 24 } else { rows },
        }
    }
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub uses_color: bool,
    /// Whether there is a terminal that shows what runs now.
    pub is_live: bool,
    /// Whether the output of tasks is said as it comes, line by line.
    pub is_streamed: bool,
}

/// How a task ended, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Passed,
    Failed,
    Cached,
    /// Skipped or cancelled.
    Left,
}

impl Fate {
    /// By the word that a record has for it; None for a task that is not over.
    pub fn of(status: &str) -> Option<Self> {
        match status {
            "passed" => Some(Self::Passed),
            "failed" => Some(Self::Failed),
            "cached" => Some(Self::Cached),
            "skipped" | "cancelled" => Some(Self::Left),
            _ => None,
        }
    }
}

/// The view of one run.
pub struct View {
    look: Look,
    /// What is to be said and has not been yet: whole lines.
    words: String,
    region: Region,
    screen: Screen,
    streams: Streams,
    size: Size,
    /// How many others have the terminal.
    aside: usize,
    next_frame: Option<Duration>,
}

impl View {
    pub fn new(look: Look, size: Size) -> Self {
        Self {
            look,
            words: String::new(),
            region: Region::default(),
            screen: Screen::default(),
            streams: Streams::default(),
            size,
            aside: 0,
            next_frame: None,
        }
    }

    pub fn look(&self) -> Look {
        self.look
    }

    /// How wide a line may be that has to stay one; None where nobody sees columns.
    pub fn columns(&self) -> Option<usize> {
        self.look.is_live.then_some(self.size.columns)
    }

    /// Lines that stay.
    pub fn say(&mut self, words: &str) {
        self.words.push_str(words);
    }

    /// Something may run from now on: every task of the plan, and how many milliseconds it took when it
    /// last ran. None for a task that is new; a task without anything to do takes 0.
    pub fn expect<'a>(
        &mut self,
        tasks: impl Iterator<Item = (&'a str, Option<u64>)>,
        now: Duration,
    ) {
        if self.look.is_live {
            self.region.expect(tasks);
            self.next_frame = Some(now + FRAME);
        }
    }

    /// The task runs from now on.
    pub fn started(&mut self, task: &str, now: Duration) {
        if self.look.is_live {
            self.region.started(task, now);
        }
    }

    /// A part of the task's output, cut anywhere. True if there is so much to say that it should be said
    /// before there is more.
    pub fn output(&mut self, task: &str, data: &[u8]) -> bool {
        if self.look.is_live {
            self.region.output(task, data);
        }
        if !self.look.is_streamed {
            return false;
        }
        self.streams.take(task, data, self.look, &mut self.words);
        !self.words.is_empty() && (!self.look.is_live || self.words.len() > MUCH)
    }

    /// The task is over.
    pub fn settled(&mut self, task: &str, fate: Fate) {
        if self.look.is_streamed {
            self.streams.end(task, self.look, &mut self.words);
        }
        if self.look.is_live {
            self.region.settled(task, fate);
        }
    }

    /// How long the next picture can wait; None if there will be none.
    pub fn due_in(&self, now: Duration) -> Option<Duration> {
        self.next_frame
            .filter(|_| self.aside == 0)
            .map(|at| at.saturating_sub(now))
    }

    /// What to write now: what is to be said and, on a terminal, the new picture of what runs.
    pub fn frame(&mut self, now: Duration, size: Size) -> String {
        if self.aside > 0 {
            return String::new();
        }
        let words = std::mem::take(&mut self.words);
        if !self.look.is_live || self.next_frame.is_none() {
            return words;
        }
        self.size = size;
        self.next_frame = Some(now + FRAME);
        let lines = self.region.lines(now, size, self.look.uses_color);
        self.screen.frame(&words, lines, size.columns)
    }

    /// Takes the picture away, and says what is left. The next frame draws a new one.
    pub fn rest(&mut self, size: Size) -> String {
        self.size = size;
        let mut text = self.screen.erase(size.columns);
        text.push_str(&std::mem::take(&mut self.words));
        text
    }

    /// Somebody else gets the terminal: as `rest`, and nothing is drawn or said until `come_back`.
    pub fn step_aside(&mut self, size: Size) -> String {
        let text = self.rest(size);
        self.aside += 1;
        text
    }

    /// The terminal is ours again.
    pub fn come_back(&mut self) {
        self.aside = self.aside.saturating_sub(1);
    }

    /// The screen is not as it was left: the next picture goes below whatever is there.
    pub fn lost_the_screen(&mut self) {
        self.screen = Screen::default();
    }
}

#[cfg(test)]
mod tests;
