//! The tasks of one run: their inputs, keys, outputs and entries.
//!
//! The engine runs no command and knows no clock: what the steps did is told to it. Methods may be called
//! from several threads; what takes long happens outside of the lock.

mod again;
mod assess;
mod decide;
mod decision;
mod digests;
mod durations;
mod exchange;
mod explain;
mod finish;
mod left;
mod literals;
mod look;
mod memory;
mod order;
mod part;
mod reading;
mod request;
mod restored;
mod sets;
mod successes;
mod sums;
mod survey;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use decision::{Decision, EntryFacts, Extras, FileChange, Sealed, TaskFacts, Verdict};
pub use explain::InputDifferences;
pub use part::SeenTask;
pub use request::Request;
pub use successes::files_of_successes;
pub use survey::{Checked, Standing};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::ir::{EnvValue, Pipeline, Task};
use crate::key::Components;
use crate::key::environment::{Resolved, Variables, resolve};
use crate::store::{Entry, Store, Uses};
use crate::tree::{Counters, Index, Manifest, Stamp};

use again::First;
use look::{Look, Writing};
use memory::Memory;
use order::Order;
use restored::PutBack;
use successes::Success;

/// In a project of as many folders two files are written at once.
const MANY_FOLDERS: usize = 256;

pub struct Engine {
    root: PathBuf,
    pipeline: Arc<Pipeline>,
    request: Request,
    /// The host's environment with the run's parameters.
    host: Variables,
    ir_digest: Digest,
    index: OnceLock<Arc<Index>>,
    stores: BTreeMap<String, Store>,
    walked: Counters,
    hashed: Hashed,
    /// The device of the state folder, if nothing that is looked at can change there unseen.
    finest: OnceLock<Option<u64>>,
    inner: Mutex<Inner>,
}

/// What hashing and storing cost.
#[derive(Default)]
struct Hashed {
    files: AtomicU64,
    bytes: AtomicU64,
    blobs: AtomicU64,
    entries: AtomicU64,
}

struct Inner {
    decided: HashMap<String, Arc<Decided>>,
    made: HashMap<String, Made>,
    memory: Memory,
    order: Order,
    /// Something of the project was written in this run, or steps had the chance to: more than the outputs
    /// that were put back since the last look at everything.
    has_changed_files: bool,
    put_back: Vec<PutBack>,
}

/// What was found out about a task before its steps.
struct Decided {
    components: Components,
    /// What the component `values` is made of: label and digest of each.
    values: Vec<(String, String)>,
    key: Digest,
    /// What each direct dependency made.
    dependencies: BTreeMap<String, Digest>,
    before: Before,
    hit: Option<Hit>,
}

/// What a task's inputs were before its steps.
enum Before {
    /// Nothing has to run.
    Nothing,
    /// What the first look saw of this set, which it still knows.
    First(Arc<First>, SetId),
    /// These, and when each of them was last written.
    Seen(Manifest, Vec<Writing>),
}

impl Before {
    /// None if nothing has to run.
    fn inputs(&self, root: &Path) -> Result<Option<Cow<'_, Manifest>>> {
        Ok(match self {
            Self::Nothing => None,
            Self::First(first, set) => Some(Cow::Owned(first.look.inputs(root, *set)?)),
            Self::Seen(manifest, _) => Some(Cow::Borrowed(manifest)),
        })
    }

    fn writings(&self) -> Cow<'_, [Writing]> {
        match self {
            Self::Nothing => Cow::default(),
            Self::First(first, set) => Cow::Owned(first.look.writings(*set)),
            Self::Seen(_, writings) => Cow::Borrowed(writings),
        }
    }
}

enum Hit {
    /// The outputs of the last success under the same key are still there.
    InPlace(Success),
    /// An entry of the store, with the outputs that it stands for.
    Stored(Box<Entry>, Manifest),
    /// It passed a moment ago, and everything is as it was: what it made.
    Unchanged(Digest),
}

/// What a finished task means for those after it.
#[derive(Clone, Copy)]
enum Made {
    /// The digest of its outputs or, if it declares none, its key.
    Digest(Digest),
    /// It failed, or its inputs changed under it: what comes after is not cached.
    Unsure,
}

impl Engine {
    pub fn new(root: &Path, ir: &[u8], request: Request) -> Result<Self> {
        let pipeline = Arc::new(Pipeline::parse(ir)?);
        Self::of(root, pipeline, Digest::of(ir), request)
    }

    /// The same for a pipeline that has been read; `ir_digest` is of its canonical bytes.
    pub fn of(
        root: &Path,
        pipeline: Arc<Pipeline>,
        ir_digest: Digest,
        request: Request,
    ) -> Result<Self> {
        for task in &request.tasks {
            pipeline.task(task)?;
        }
        let memory = Memory::read(&request.state);
        let places = request.stores.iter();
        let stores = places.map(|(name, place)| (name.clone(), Store::at(&place.root)));
        Ok(Self {
            stores: stores.collect(),
            root: root.to_path_buf(),
            host: request.host_with_params(),
            pipeline,
            request,
            ir_digest,
            index: OnceLock::new(),
            walked: Counters::default(),
            hashed: Hashed::default(),
            finest: OnceLock::new(),
            inner: Mutex::new(Inner {
                decided: HashMap::new(),
                made: HashMap::new(),
                memory,
                order: Order::default(),
                has_changed_files: false,
                put_back: Vec::new(),
            }),
        })
    }

    /// What the task's declarations add to its environment, or with `step` what that step adds.
    pub fn environment(
        &self,
        task: &str,
        step: Option<usize>,
    ) -> Result<BTreeMap<String, Resolved>> {
        let task = self.pipeline.task(task)?;
        let resolved = match step {
            None => resolve(self.layers(task), &self.host),
            Some(number) => {
                let declared = step_env(task, number)?;
                resolve([&declared], &self.host)
            }
        };
        resolved.map_err(Error::Environment)
    }

    /// The folders in which something could matter to a task of the plan, as `assess` found them: relative
    /// to the root, which is empty.
    pub fn folders(&self) -> Vec<Vec<u8>> {
        let looked = self.lock().memory.looked.clone();
        let folders = looked.iter().flat_map(|look| &look.walk().folders);
        folders.map(|folder| folder.path.to_vec()).collect()
    }

    /// Closes a task that failed.
    pub fn failed(&self, task: &str) {
        let mut inner = self.lock();
        inner.has_changed_files = true;
        inner.made.insert(task.to_owned(), Made::Unsure);
        inner.order.is_over(task);
    }

    pub fn counters(&self) -> BTreeMap<&'static str, u64> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BTreeMap::from([
            ("directories_listed", read(&self.walked.directories_listed)),
            ("files_seen", read(&self.walked.files_seen)),
            ("files_hashed", read(&self.hashed.files)),
            ("bytes_hashed", read(&self.hashed.bytes)),
            ("index_hits", read(&self.walked.index_hits)),
            ("blobs_written", read(&self.hashed.blobs)),
            ("entries_written", read(&self.hashed.entries)),
        ])
    }

    /// Writes down what later runs save time with. Nothing new: nothing is written.
    pub fn save(&self) -> Result<()> {
        let mut inner = self.lock();
        let Inner {
            memory,
            has_changed_files,
            put_back,
            ..
        } = &mut *inner;
        let (mut basis, look) = (memory.basis.take(), memory.looked.clone());
        let restores = std::mem::take(put_back);
        let after = match &look {
            Some(look) if !restores.is_empty() && !*has_changed_files => {
                // What stands in the way is for the next run to tell.
                self.after_restores(memory, look, &restores).ok().flatten()
            }
            _ => None,
        };
        *has_changed_files |= !restores.is_empty() && after.is_none();
        let has_changed_files = *has_changed_files;
        let mut save_survey = || match (&mut basis, &look, &after) {
            (Some(basis), _, Some(after)) => self.save_survey_after(basis, after),
            (Some(basis), Some(look), None) => self.save_survey(basis, look, has_changed_files),
            _ => Ok(()),
        };
        let write = |memory: &mut Memory| memory.write(&self.request.state, || self.index());
        // Of a large project both are large, and none needs the other.
        let (surveyed, written) = if look.as_deref().is_some_and(is_large) {
            std::thread::scope(|scope| {
                let surveying = scope.spawn(save_survey);
                let written = write(memory);
                let broken = |_| Err(Error::Invalid("the thread of a survey broke".into()));
                (surveying.join().unwrap_or_else(broken), written)
            })
        } else {
            (save_survey(), write(memory))
        };
        memory.basis = basis;
        drop(inner);
        surveyed?;
        written?;
        self.stores.values().try_for_each(Store::save)
    }

    /// Read when something has to be listed or digested: a run with everything as it was needs none.
    fn index(&self) -> &Arc<Index> {
        let read = || Arc::new(Index::read(&self.request.state.join("index")));
        self.index.get_or_init(read)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers<'a>(&'a self, task: &'a Task) -> Vec<&'a BTreeMap<String, EnvValue>> {
        self.request.layers.iter().chain([&task.env]).collect()
    }

    /// The store of a task that is cached.
    fn store(&self, task: &Task) -> Result<Store> {
        let name = task.cache.as_ref().map_or("file", |cache| &cache.store);
        let store = self.stores.get(name).cloned();
        store.ok_or_else(|| Error::Invalid(format!("there is no store `{name}`")))
    }

    /// The moment before a look, on the file system's own clock.
    fn stamp(&self) -> Stamp {
        Stamp::now(&self.request.state).unwrap_or(Stamp::NEVER)
    }

    fn used(&self, store: &Store, key: Digest) {
        let now = self.request.now_ms;
        let mut inner = self.lock();
        let uses = inner.memory.uses.entry(store.root().to_path_buf());
        uses.or_insert_with(|| Uses::read(store)).used(key, now);
    }
}

fn is_large(look: &Look) -> bool {
    look.walk().folders.len() >= MANY_FOLDERS
}

fn step_env(task: &Task, number: usize) -> Result<BTreeMap<String, EnvValue>> {
    match task.steps.get(number).and_then(|step| step.get("env")) {
        None => Ok(BTreeMap::new()),
        Some(declared) => serde_json::from_value(declared.clone())
            .map_err(|error| Error::Invalid(format!("the environment of a step: {error}"))),
    }
}
