//! The view of a run, over the border.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipec_core::view::{self, Fate, Look, Size};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct View(Mutex<view::View>);

#[pymethods]
impl View {
    #[new]
    #[pyo3(signature = (size, *, color, live, streamed))]
    fn new(size: (usize, usize), color: bool, live: bool, streamed: bool) -> Self {
        let look = Look {
            uses_color: color,
            is_live: live,
            is_streamed: streamed,
        };
        Self(Mutex::new(view::View::new(look, told(size))))
    }

    #[pyo3(signature = (text, /))]
    fn say(&self, text: &str) {
        self.view().say(text);
    }

    #[pyo3(signature = (text, taken, /))]
    fn fit(&self, text: &str, taken: usize) -> String {
        match self.view().columns() {
            // The last column stays free.
            Some(columns) => view::fit(text, columns.saturating_sub(taken + 1)).into_owned(),
            None => text.to_owned(),
        }
    }

    #[pyo3(signature = (tasks, now, /))]
    fn expect(&self, tasks: Vec<(String, Option<u64>)>, now: f64) {
        let tasks = tasks.iter().map(|(id, took)| (id.as_str(), *took));
        self.view().expect(tasks, moment(now));
    }

    #[pyo3(signature = (task, now, /))]
    fn started(&self, task: &str, now: f64) {
        self.view().started(task, moment(now));
    }

    #[pyo3(signature = (task, data, /))]
    fn output(&self, task: &str, data: &[u8]) -> bool {
        self.view().output(task, data)
    }

    #[pyo3(signature = (task, status, /))]
    fn settled(&self, task: &str, status: &str) -> PyResult<()> {
        let fate = Fate::of(status)
            .ok_or_else(|| PyValueError::new_err(format!("no task ends as `{status}`")))?;
        self.view().settled(task, fate);
        Ok(())
    }

    #[pyo3(signature = (now, /))]
    fn due_in(&self, now: f64) -> Option<f64> {
        let left = self.view().due_in(moment(now))?;
        Some(left.as_secs_f64())
    }

    #[pyo3(signature = (now, size, /))]
    fn frame(&self, now: f64, size: (usize, usize)) -> String {
        self.view().frame(moment(now), told(size))
    }

    #[pyo3(signature = (size, /))]
    fn rest(&self, size: (usize, usize)) -> String {
        self.view().rest(told(size))
    }

    #[pyo3(signature = (size, /))]
    fn step_aside(&self, size: (usize, usize)) -> String {
        self.view().step_aside(told(size))
    }

    fn come_back(&self) {
        self.view().come_back();
    }

    fn lost_the_screen(&self) {
        self.view().lost_the_screen();
    }
}

impl View {
    fn view(&self) -> MutexGuard<'_, view::View> {
        // A view is whole between two statements: what a panicking thread left is usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Output of a task without what a terminal would obey; with `colors` its colours stay.
#[pyfunction]
#[pyo3(signature = (text, /, *, colors))]
pub(crate) fn clean(text: &str, colors: bool) -> String {
    view::clean(text, colors).into_owned()
}

fn told((columns, rows): (usize, usize)) -> Size {
    Size::told(columns, rows)
}

/// Seconds from an arbitrary start.
fn moment(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
