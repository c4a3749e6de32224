use super::*;

const LIVE: Look = Look {
    uses_color: false,
    is_live: true,
    is_streamed: false,
};

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn size(columns: usize, rows: usize) -> Size {
    Size { columns, rows }
}

/// A terminal of so many columns: rows of text, and the row in which the cursor is.
struct Terminal {
    columns: usize,
    rows: Vec<String>,
    at: usize,
}

impl Terminal {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: vec![String::new()],
            at: 0,
        }
    }

    /// Knows what a view may write, and nothing else.
    fn write(&mut self, text: &str) {
        let mut rest = text;
        let mut column = 0;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '\n' => {
                    self.at += 1;
                    column = 0;
                    if self.at == self.rows.len() {
                        self.rows.push(String::new());
                    }
                }
                '\r' => column = 0,
                '\u{1b}' => {
                    let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    let (number, order) = (&rest[1..end], &rest[end..=end]);
                    match order {
                        "A" => self.at -= number.parse::<usize>().unwrap(),
                        "J" => {
                            self.rows.truncate(self.at);
                            self.rows.push(String::new());
                        }
                        "K" => {
                            self.rows[self.at] = self.rows[self.at].chars().take(column).collect();
                        }
                        "m" => {}
                        other => panic!("{other} is not for a view"),
                    }
                    rest = &rest[end + 1..];
                }
                _ => {
                    assert!(column < self.columns, "wraps: {:?}", self.rows[self.at]);
                    let row: Vec<char> = self.rows[self.at].chars().collect();
                    let mut row: String = row[..column.min(row.len())].iter().collect();
                    row.push(character);
                    let old: Vec<char> = self.rows[self.at].chars().collect();
                    row.extend(old.iter().skip(column + 1));
                    self.rows[self.at] = row;
                    column += 1;
                }
            }
        }
    }

    fn shown(&self) -> String {
        self.rows.join("\n")
    }
}

fn view_of(tasks: &[(&str, Option<u64>)], size: Size) -> View {
    let mut view = View::new(LIVE, size);
    view.expect(tasks.iter().copied(), Duration::ZERO);
    view
}

#[test]
fn nothing_is_drawn_before_something_runs() {
    let mut view = view_of(&[("a", None)], Size::USUAL);
    assert_eq!(view.frame(seconds(1), Size::USUAL), "");
    view.say("= a\n");
    view.settled("a", Fate::Cached);
    assert_eq!(view.frame(seconds(2), Size::USUAL), "= a\n");
    assert_eq!(view.rest(Size::USUAL), "");
}

#[test]
fn without_a_terminal_there_are_only_lines() {
    let mut view = View::new(Look::default(), Size::USUAL);
    view.expect([("a", None)].into_iter(), Duration::ZERO);
    view.started("a", Duration::ZERO);
    assert!(!view.output("a", b"x\n"));
    assert_eq!(view.due_in(Duration::ZERO), None);
    view.say("a line\n");
    assert_eq!(view.frame(seconds(9), Size::USUAL), "a line\n");
    assert_eq!(view.columns(), None);
}

#[test]
fn what_runs_is_below_what_is_over() {
    let mut view = view_of(
        &[
            ("lint", Some(10_000)),
            ("test:unit", Some(30_000)),
            ("docs", None),
        ],
        Size::USUAL,
    );
    let mut terminal = Terminal::new(80);
    view.started("test:unit", seconds(0));
    view.started("lint", seconds(1));
    view.output("lint", "checking 世界\n".as_bytes());
    terminal.write(&view.frame(seconds(5), Size::USUAL));
    assert_eq!(
        terminal.shown(),
        format!(
            "  test:unit      5s\n  lint           4s  checking 世界\n{}{}  12%  0/3, 2 running\n",
            "━".repeat(4),
            "─".repeat(36)
        )
    );
    view.say("✓ lint  6s\n");
    view.settled("lint", Fate::Passed);
    terminal.write(&view.frame(seconds(7), Size::USUAL));
    assert_eq!(
        terminal.shown(),
        format!(
            "✓ lint  6s\n  test:unit      7s\n{}{}  24%  1/3, 1 running\n",
            "━".repeat(9),
            "─".repeat(31)
        )
    );
    view.say("✗ test:unit\n");
    view.settled("test:unit", Fate::Failed);
    view.settled("docs", Fate::Left);
    terminal.write(&view.rest(Size::USUAL));
    assert_eq!(terminal.shown(), "✓ lint  6s\n✗ test:unit\n");
}

#[test]
fn a_narrow_screen_shows_what_fits() {
    let small = size(20, 24);
    let mut view = view_of(&[("a-task-with-a-long-name", None), ("b", None)], small);
    view.started("a-task-with-a-long-name", seconds(0));
    view.output("a-task-with-a-long-name", b"words\n");
    let mut terminal = Terminal::new(20);
    terminal.write(&view.frame(seconds(3), small));
    assert_eq!(terminal.shown(), "  a-task-w…      3s\n0/2, 1 running\n");
    for columns in 1..200 {
        let mut terminal = Terminal::new(columns);
        let text = view.frame(seconds(3), size(columns, 24));
        view.rest(size(columns, 24));
        terminal.write(text.rsplit("\u{1b}[J").next().unwrap());
    }
}

#[test]
fn many_tasks_take_half_of_the_screen() {
    let names: Vec<String> = (0..1000).map(|number| format!("task{number:04}")).collect();
    let mut view = View::new(LIVE, size(80, 12));
    view.expect(
        names.iter().map(|name| (name.as_str(), None)),
        Duration::ZERO,
    );
    for name in &names {
        view.started(name, Duration::ZERO);
    }
    let mut terminal = Terminal::new(80);
    terminal.write(&view.frame(seconds(1), size(80, 12)));
    let shown = terminal.shown();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0], "  task0000      1s");
    assert_eq!(lines[4], "  and 996 more");
    assert!(lines[5].ends_with("  0%  0/1000, 1000 running"), "{shown}");
    terminal.write(&view.frame(seconds(1), size(80, 2)));
    assert_eq!(terminal.shown().lines().next(), Some("  1000 tasks"));
}

#[test]
fn a_screen_that_becomes_narrower_has_its_lines_taken_away_in_full() {
    let mut view = view_of(&[("a", None)], size(80, 24));
    view.started("a", Duration::ZERO);
    view.frame(seconds(1), size(80, 24));
    // `  a      1s`, and a last line of 63 columns, which now takes three.
    let text = view.frame(seconds(1), size(30, 24));
    assert!(text.starts_with("\r\u{1b}[4A\u{1b}[J"), "{text:?}");
}

#[test]
fn a_picture_that_is_as_before_is_not_drawn_again() {
    let mut view = view_of(&[("a", None)], Size::USUAL);
    view.started("a", Duration::ZERO);
    assert_ne!(view.frame(seconds(1), Size::USUAL), "");
    let later = Duration::from_millis(1900);
    assert_eq!(view.frame(later, Size::USUAL), "");
    view.output("a", b"news\n");
    assert_ne!(view.frame(later, Size::USUAL), "");
}

#[test]
fn pictures_come_ten_times_a_second_however_much_is_written() {
    let mut view = view_of(&[("a", None)], Size::USUAL);
    assert_eq!(view.due_in(Duration::ZERO), Some(FRAME));
    view.started("a", Duration::ZERO);
    for number in 0..10_000_u32 {
        assert!(!view.output("a", format!("{number}\n").as_bytes()));
    }
    assert_eq!(view.due_in(FRAME), Some(Duration::ZERO));
    view.frame(FRAME, Size::USUAL);
    assert_eq!(view.due_in(FRAME), Some(FRAME));
}

#[test]
fn who_has_the_terminal_has_it_alone() {
    let mut view = view_of(&[("a", None)], Size::USUAL);
    view.started("a", Duration::ZERO);
    let mut terminal = Terminal::new(80);
    terminal.write(&view.frame(seconds(1), Size::USUAL));
    terminal.write(&view.step_aside(Size::USUAL));
    assert_eq!(terminal.shown(), "");
    view.say("a line\n");
    assert_eq!(view.frame(seconds(2), Size::USUAL), "");
    assert_eq!(view.due_in(seconds(2)), None);
    view.come_back();
    let text = view.frame(seconds(3), Size::USUAL);
    assert!(text.starts_with("a line\n  a      3s\n"), "{text:?}");
}

#[test]
fn a_stream_that_is_not_read_holds_its_task_back() {
    let look = Look {
        is_streamed: true,
        ..LIVE
    };
    let mut view = View::new(look, Size::USUAL);
    view.expect([("a", None)].into_iter(), Duration::ZERO);
    view.started("a", Duration::ZERO);
    let mut line = vec![b'x'; 1000];
    line.push(b'\n');
    let held_back = (0..2000).find(|_| view.output("a", &line));
    assert!(held_back.is_some_and(|number| number > 1000));
    assert!(view.frame(seconds(1), Size::USUAL).len() > MUCH);
    assert!(!view.output("a", &line));
}

#[test]
fn colours_are_those_that_every_terminal_has() {
    let look = Look {
        uses_color: true,
        ..LIVE
    };
    let mut view = View::new(look, Size::USUAL);
    view.expect([("a", Some(2000)), ("b", None)].into_iter(), Duration::ZERO);
    view.started("a", Duration::ZERO);
    view.output("a", b"\x1b[38;5;200mwords");
    view.settled("b", Fate::Failed);
    let text = view.frame(seconds(1), Size::USUAL);
    let mut styles: Vec<&str> = text
        .split("\u{1b}[")
        .skip(1)
        .filter_map(|part| Some(part.split_once('m')?.0))
        .collect();
    styles.sort_unstable();
    styles.dedup();
    assert_eq!(styles, ["0", "1", "2", "31", "36"]);
}
