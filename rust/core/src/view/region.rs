//! The picture of what runs now: a line for each task, and one for the run as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use super::line::Line;
use super::tail::{Tail, one_line};
use super::width::width;
use super::{Fate, Size};
use crate::clock::milliseconds;
use crate::run::words::spell_duration;

/// As lines of tasks that are over have it.
const WIDEST_NAME: usize = 40;
const NARROWEST_TIME: usize = 6;
const WIDEST_BAR: usize = 40;
const NARROWEST_BAR: usize = 8;
/// What is left of a last line is shown from this many columns on.
const NARROWEST_OUTPUT: usize = 8;
const INDENT: &str = "  ";
const DIM: &str = "2";
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

#[derive(Default)]
pub(super) struct Region {
    /// How long each task that is not over is expected to take, in milliseconds.
    expected: BTreeMap<String, u64>,
    /// Whether that is more than a guess.
    is_expected: bool,
    running: BTreeMap<String, Running>,
    started: u64,
    counts: Counts,
    /// Columns.
    widest_name: usize,
    /// Of the tasks that ran or will, in milliseconds.
    weight: u64,
    weight_done: u64,
}

struct Running {
    /// Counted in the order of starting.
    number: u64,
    since: Duration,
    expected: u64,
    tail: Tail,
}

#[derive(Default)]
struct Counts {
    tasks: usize,
    over: usize,
    failed: usize,
    cached: usize,
}

impl Region {
    pub(super) fn expect<'a>(&mut self, tasks: impl Iterator<Item = (&'a str, Option<u64>)>) {
        let tasks: Vec<(&str, Option<u64>)> = tasks.collect();
        let known = tasks.iter().filter_map(|(_, expected)| *expected);
        let mut known: Vec<u64> = known.filter(|expected| *expected > 0).collect();
        known.sort_unstable();
        self.is_expected = !known.is_empty();
        let middle = known.get(known.len() / 2).copied().unwrap_or(1);
        for (id, expected) in tasks {
            let expected = expected.unwrap_or(middle);
            self.weight += expected;
            self.counts.tasks += 1;
            self.widest_name = self.widest_name.max(width(id));
            self.expected.insert(id.to_owned(), expected);
        }
    }

    pub(super) fn started(&mut self, task: &str, now: Duration) {
        self.started += 1;
        let running = Running {
            number: self.started,
            since: now,
            expected: self.expected.get(task).copied().unwrap_or(0),
            tail: Tail::default(),
        };
        self.running.insert(task.to_owned(), running);
    }

    pub(super) fn output(&mut self, task: &str, data: &[u8]) {
        if let Some(running) = self.running.get_mut(task) {
            running.tail.add(data);
        }
    }

    pub(super) fn settled(&mut self, task: &str, fate: Fate) {
        self.running.remove(task);
        let Some(expected) = self.expected.remove(task) else {
            return;
        };
        self.counts.over += 1;
        match fate {
            Fate::Passed | Fate::Failed => self.weight_done += expected,
            // What does not run takes no part of the time.
            Fate::Cached | Fate::Left => self.weight -= expected,
        }
        match fate {
            Fate::Failed => self.counts.failed += 1,
            Fate::Cached => self.counts.cached += 1,
            Fate::Passed | Fate::Left => {}
        }
    }

    /// The picture; none before anything has run. It takes no more than half of the screen.
    pub(super) fn lines(&self, now: Duration, size: Size, uses_color: bool) -> Vec<Line> {
        if self.started == 0 {
            return Vec::new();
        }
        let pen = Pen {
            // The last column stays free: terminals differ in what they do once it is taken.
            columns: size.columns.saturating_sub(1),
            names: self.widest_name.min(WIDEST_NAME),
            uses_color,
        };
        let room = (size.rows / 2).saturating_sub(1).max(1);
        let mut running: Vec<(&String, &Running)> = self.running.iter().collect();
        running.sort_unstable_by_key(|(_, running)| running.number);
        let shown = if running.len() > room {
            room - 1
        } else {
            running.len()
        };
        let mut lines = pen.tasks(&running[..shown], now);
        if running.len() > shown {
            lines.push(pen.more(running.len() - shown, shown > 0));
        }
        lines.push(self.whole(&pen, now));
        lines
    }

    /// How much is done, then counts; of the counts as many as there is room for.
    fn whole(&self, pen: &Pen, now: Duration) -> Line {
        let counts = &self.counts;
        let mut parts = vec![(format!("{}/{}", counts.over, counts.tasks), Some(BOLD))];
        for (count, word, style) in [
            (self.running.len(), "running", None),
            (counts.failed, "failed", Some(RED)),
            (counts.cached, "cached", Some(CYAN)),
        ] {
            if count > 0 {
                parts.push((format!("{count} {word}"), style));
            }
        }
        let percent = self.percent(now);
        let spelled = format!(" {percent:>3}%  ");
        let told: usize = parts.iter().map(|(text, _)| width(text) + 2).sum();
        let mut line = Line::default();
        let left = pen.columns.saturating_sub(width(&spelled) + told);
        if left >= NARROWEST_BAR {
            let length = left.min(WIDEST_BAR);
            let done = usize::try_from(percent).unwrap_or(0) * length / 100;
            let style = if counts.failed > 0 { RED } else { GREEN };
            pen.add(&mut line, &"━".repeat(done), Some(style));
            pen.add(&mut line, &"─".repeat(length - done), Some(DIM));
            pen.add(&mut line, &spelled, None);
        }
        for (number, (text, style)) in parts.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            if number > 0 && line.width + comma.len() + width(text) > pen.columns {
                break;
            }
            pen.add(&mut line, comma, None);
            pen.add(&mut line, text, *style);
        }
        line
    }

    /// Of the time that everything is expected to take; 100 only when nothing is left.
    fn percent(&self, now: Duration) -> u64 {
        if self.counts.over == self.counts.tasks {
            return 100;
        }
        let mut done = self.weight_done;
        if self.is_expected {
            for running in self.running.values() {
                let elapsed = milliseconds(now.saturating_sub(running.since));
                done += elapsed.min(running.expected);
            }
        }
        (done * 100 / self.weight.max(1)).min(99)
    }
}

/// What lines are written with.
struct Pen {
    columns: usize,
    /// How many of them names take where there is room.
    names: usize,
    uses_color: bool,
}

impl Pen {
    fn add(&self, line: &mut Line, text: &str, style: Option<&str>) {
        let style = style.filter(|_| self.uses_color);
        line.add(text, style, self.columns.saturating_sub(line.width));
    }

    fn tasks(&self, running: &[(&String, &Running)], now: Duration) -> Vec<Line> {
        let names = running.iter().map(|(id, _)| one_line(id));
        let names: Vec<String> = names.collect();
        let times = running.iter().map(|(_, running)| {
            let elapsed = milliseconds(now.saturating_sub(running.since));
            // Parts of a second would make every picture a new one.
            spell_duration(elapsed - elapsed % 1000).replace("0ms", "0s")
        });
        let times: Vec<String> = times.collect();
        let of_times = times.iter().map(String::len).max().unwrap_or(0);
        let of_times = of_times.max(NARROWEST_TIME);
        let left = self.columns.saturating_sub(INDENT.len() + 2 + of_times);
        let of_names = self.names.min(left);
        let mut lines = Vec::with_capacity(running.len() + 2);
        for ((name, time), (_, running)) in names.iter().zip(&times).zip(running) {
            let mut line = Line::default();
            line.add(INDENT, None, self.columns);
            line.add(name, None, of_names);
            line.pad((INDENT.len() + of_names + 2 + of_times - time.len()).min(self.columns));
            self.add(&mut line, time, Some(CYAN));
            let left = self.columns.saturating_sub(line.width + 2);
            let said = running.tail.last_line();
            if left >= NARROWEST_OUTPUT && !said.is_empty() {
                line.pad(line.width + 2);
                self.add(&mut line, &said, Some(DIM));
            }
            lines.push(line);
        }
        lines
    }

    fn more(&self, count: usize, has_others: bool) -> Line {
        let mut line = Line::default();
        let text = if has_others {
            format!("{INDENT}and {count} more")
        } else {
            format!("{INDENT}{count} tasks")
        };
        self.add(&mut line, &text, Some(DIM));
        line
    }
}
