//! A pipeline in outline: its names, what they are for, and what waits for what; as a list, a tree of
//! text, or a graph in the language of Graphviz.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt::Write;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ir::IR_VERSION;

/// Levels of the tree after which a branch goes on at the left margin.
const DEEPEST: usize = 40;
/// Bytes of indent a level.
const INDENT: [&str; 2] = ["│   ", "    "];

/// What of the normalized pipeline it takes to speak of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outline {
    ir_version: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub jobs: BTreeMap<String, OutlinedJob>,
    #[serde(default)]
    pub tasks: BTreeMap<String, OutlinedTask>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct OutlinedJob {
    pub description: String,
    targets: Vec<String>,
    foreign_targets: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct OutlinedTask {
    pub description: String,
    depends_on: Vec<String>,
    /// Tasks of members and sources: they are no tasks of the graph.
    foreign_needs: Vec<String>,
}

/// What is drawn: jobs, the tasks asked for, and every task, each after those it waits for.
#[derive(Debug, Default)]
pub struct Selected {
    pub jobs: Vec<String>,
    pub targets: Vec<String>,
    pub tasks: Vec<String>,
}

impl Outline {
    pub fn parse(ir: &[u8]) -> Result<Self> {
        let outline: Self = serde_json::from_slice(ir)
            .map_err(|error| Error::Invalid(format!("the normalized pipeline: {error}")))?;
        if outline.ir_version == IR_VERSION {
            Ok(outline)
        } else {
            let version = outline.ir_version;
            Err(Error::Invalid(format!("IR version {version} is unknown")))
        }
    }

    /// A job or a task with everything that it needs. None for a name that means neither.
    pub fn select(&self, name: &str) -> Option<Selected> {
        let (jobs, targets) = if let Some(job) = self.jobs.get(name) {
            (vec![name.to_owned()], distinct(&job.targets))
        } else {
            self.tasks.get(name)?;
            (Vec::new(), vec![name.to_owned()])
        };
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&str> = targets.iter().map(String::as_str).collect();
        while let Some(id) = waiting.pop() {
            let (id, task) = self.tasks.get_key_value(id)?;
            if reached.insert(id.as_str()) {
                waiting.extend(task.depends_on.iter().map(String::as_str));
            }
        }
        Some(Selected {
            jobs,
            targets,
            tasks: self.in_order(&reached)?,
        })
    }

    /// All jobs and all tasks. None for tasks that wait for each other.
    pub fn everything(&self) -> Option<Selected> {
        let tasks = self.tasks.values();
        let needed: HashSet<&String> = tasks.flat_map(|task| &task.depends_on).collect();
        let of_jobs = self.jobs.values().flat_map(|job| &job.targets);
        let of_nobody = self.tasks.keys().filter(|id| !needed.contains(*id));
        let all = self.tasks.keys().map(String::as_str).collect();
        Some(Selected {
            jobs: self.jobs.keys().cloned().collect(),
            targets: distinct(of_jobs.chain(of_nobody)),
            tasks: self.in_order(&all)?,
        })
    }

    /// Each after those of them that it depends on; ties by id.
    fn in_order(&self, tasks: &BTreeSet<&str>) -> Option<Vec<String>> {
        let mut waits_for: HashMap<&str, usize> = HashMap::new();
        let mut dependents: HashMap<&str, Vec<&str>> = HashMap::new();
        for id in tasks {
            let needs = &self.tasks.get(*id)?.depends_on;
            let needs = needs.iter().filter(|need| tasks.contains(need.as_str()));
            let mut count = 0;
            for need in needs {
                dependents.entry(need).or_default().push(id);
                count += 1;
            }
            waits_for.insert(id, count);
        }
        let is_ready = |id: &&&str| waits_for.get(**id) == Some(&0);
        let mut ready: BinaryHeap<Reverse<&str>> = tasks
            .iter()
            .filter(is_ready)
            .map(|id| Reverse(*id))
            .collect();
        let mut order = Vec::with_capacity(tasks.len());
        while let Some(Reverse(id)) = ready.pop() {
            order.push(id.to_owned());
            for dependent in dependents.get(id).into_iter().flatten() {
                let count = waits_for.get_mut(dependent)?;
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(dependent));
                }
            }
        }
        (order.len() == tasks.len()).then_some(order)
    }

    fn needs(&self, task: &str) -> &[String] {
        self.tasks
            .get(task)
            .map_or(&[], |task| task.depends_on.as_slice())
    }

    /// Jobs, then tasks, one a line with what it is for.
    pub fn list(&self) -> String {
        let mut text = self.name.clone();
        if !self.description.is_empty() {
            let _ = write!(text, ": {}", self.description);
        }
        text.push('\n');
        let described = |job: &OutlinedJob| match job.description.as_str() {
            "" => format!("runs {}", job.targets.join(", ")),
            described => described.to_owned(),
        };
        let jobs = self.jobs.iter().map(|(id, job)| (id, described(job)));
        let tasks = self.tasks.iter();
        let tasks = tasks.map(|(id, task)| (id, task.description.clone()));
        let names = self.jobs.keys().chain(self.tasks.keys());
        let width = names.map(|id| id.chars().count()).max().unwrap_or(0);
        let sections: [(&str, Vec<(&String, String)>); 2] =
            [("Jobs", jobs.collect()), ("Tasks", tasks.collect())];
        for (heading, rows) in sections {
            if !rows.is_empty() {
                let _ = write!(text, "\n{heading}\n");
            }
            for (id, what) in rows {
                let line = format!("  {id:<width$}  {what}");
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// The graph for Graphviz: an arrow leads from a task to what waits for it.
    pub fn dot(&self, selected: &Selected) -> String {
        let mut text = "digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        let jobs = selected.jobs.iter();
        for (id, job) in jobs.filter_map(|id| self.jobs.get_key_value(id)) {
            let node = quoted(&format!("job {id}"));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {node} [label={}, shape=oval];", quoted(id));
            for target in job.targets.iter().chain(&job.foreign_targets) {
                let _ = writeln!(text, "  {} -> {node};", quoted(target));
            }
        }
        let tasks = selected.tasks.iter();
        for (id, task) in tasks.filter_map(|id| self.tasks.get_key_value(id)) {
            let node = quoted(id);
            let _ = writeln!(text, "  {node};");
            for need in task.depends_on.iter().chain(&task.foreign_needs) {
                let _ = writeln!(text, "  {} -> {node};", quoted(need));
            }
        }
        text + "}\n"
    }

    /// Jobs or targets at the margin, what each waits for below it. A branch is drawn only once.
    pub fn tree(&self, selected: &Selected) -> String {
        let mut tree = Tree {
            outline: self,
            drawn: HashSet::new(),
            later: VecDeque::new(),
            text: String::new(),
        };
        let jobs = selected.jobs.iter();
        let jobs: Vec<_> = jobs.filter_map(|id| self.jobs.get_key_value(id)).collect();
        for (id, job) in &jobs {
            let _ = writeln!(tree.text, "{id} (job)");
            tree.children(&job.targets);
        }
        let in_jobs: HashSet<&String> = jobs.iter().flat_map(|(_, job)| &job.targets).collect();
        for target in &selected.targets {
            if !in_jobs.contains(target) {
                tree.root(target);
            }
        }
        while let Some(task) = tree.later.pop_front() {
            tree.root(task);
        }
        tree.text
    }
}

struct Tree<'a> {
    outline: &'a Outline,
    drawn: HashSet<&'a str>,
    /// Branches that lie too deep, to be drawn at the margin.
    later: VecDeque<&'a str>,
    text: String,
}

impl<'a> Tree<'a> {
    fn root(&mut self, task: &'a str) {
        if self.drawn.insert(task) {
            self.text.push_str(task);
            self.text.push('\n');
            self.children(self.outline.needs(task));
        }
    }

    /// Draws without recursion: a chain may be longer than the stack.
    fn children(&mut self, children: &'a [String]) {
        let mut waiting = siblings(children, "");
        while let Some((task, indent, is_last)) = waiting.pop() {
            let needs = self.outline.needs(task);
            let depth = indent.chars().count() / 4;
            let mark = if needs.is_empty() {
                self.drawn.insert(task);
                ""
            } else if self.drawn.contains(task) {
                " (above)"
            } else if depth >= DEEPEST - 1 {
                self.later.push_back(task);
                " (below)"
            } else {
                self.drawn.insert(task);
                let deeper = format!("{indent}{}", INDENT[usize::from(is_last)]);
                waiting.extend(siblings(needs, &deeper));
                ""
            };
            let branch = if is_last { "└── " } else { "├── " };
            let _ = writeln!(self.text, "{indent}{branch}{task}{mark}");
        }
    }
}

/// Task, indent, and whether it is the last of its siblings; the first one stands at the end.
fn siblings<'a>(tasks: &'a [String], indent: &str) -> Vec<(&'a str, String, bool)> {
    let numbered = tasks.iter().enumerate().rev();
    numbered
        .map(|(at, task)| (task.as_str(), indent.to_owned(), at + 1 == tasks.len()))
        .collect()
}

fn distinct<'a>(ids: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.into_iter()
        .filter(|id| seen.insert(id.as_str()))
        .cloned()
        .collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
