//! How a run speaks: what is to be said is put together under one lock, and written under another.
//!
//! Whoever reads may take their time: only those who want something said wait for that, never a task that
//! has something to add. Where there is a terminal, the thread that waits anyway speaks for all.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::World;
use crate::view::{Size, View};

pub(super) struct Voice<'a> {
    world: &'a dyn World,
    view: Mutex<View>,
    /// Held by who writes: what is put together first is written first.
    mouth: Mutex<()>,
    is_closed: AtomicBool,
}

impl<'a> Voice<'a> {
    pub(super) fn new(world: &'a dyn World, view: View) -> Self {
        Self {
            world,
            view: Mutex::new(view),
            mouth: Mutex::default(),
            is_closed: AtomicBool::new(false),
        }
    }

    pub(super) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what there is to say, unless the next picture will.
    pub(super) fn flush(&self) {
        if self.view().due_in(Duration::ZERO).is_none() {
            self.speak(|view| view.frame(Duration::ZERO, Size::USUAL));
        }
    }

    /// Draws the next picture if it is time. Gives how long the one after that can wait.
    pub(super) fn beat(&self) -> Option<Duration> {
        let now = self.world.monotonic();
        if self.view().due_in(now)?.is_zero() {
            self.draw();
        }
        self.view().due_in(self.world.monotonic())
    }

    /// Says what there is to say, now.
    pub(super) fn draw(&self) {
        let (now, size) = (self.world.monotonic(), self.world.screen());
        self.speak(|view| view.frame(now, size));
    }

    /// A part of a task's output.
    pub(super) fn output(&self, task: &str, data: &[u8]) {
        let is_much = self.view().output(task, data);
        if is_much {
            self.draw();
        }
    }

    /// Says the rest, and leaves nothing but lines that stay.
    pub(super) fn rest(&self) {
        let size = self.world.screen();
        self.speak(|view| view.rest(size));
    }

    /// Leaves the screen to somebody else, as long as they keep what this gives.
    pub(super) fn step_aside(&self) -> Aside<'_> {
        let size = self.world.screen();
        self.speak(|view| view.step_aside(size));
        Aside(self)
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn speak(&self, words: impl FnOnce(&mut View) -> String) {
        let _mouth = self.mouth.lock().unwrap_or_else(PoisonError::into_inner);
        let words = words(&mut self.view());
        if words.is_empty() || self.is_closed() {
            return;
        }
        // Words that are lost on a full disk are lost: there is nowhere left to say so.
        if let Err(error) = self.world.say(words.as_bytes())
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }
}

/// Nothing is said and nothing drawn while there is one.
pub(crate) struct Aside<'a>(&'a Voice<'a>);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.view().come_back();
    }
}

impl Drop for Voice<'_> {
    /// Whatever ended the run, no picture of it is left on the screen.
    fn drop(&mut self) {
        self.rest();
    }
}
