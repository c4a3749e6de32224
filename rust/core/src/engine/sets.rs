//! The pattern sets of tasks: what they read, what they own, each distinct list once.

use std::collections::{BTreeSet, HashMap};

use super::look::TaskSets;
use crate::error::{Error, Result};
use crate::glob::{Automaton, Pattern, Rule, SetId, SetSpec, sets_may_meet};
use crate::ir::{InputRule, OutputPattern, Pipeline, Task};

/// The front end lets named inputs nest 100 deep. Whatever comes here from elsewhere must not recurse
/// without end.
const DEEPEST: usize = 500;

/// Gathers sets and builds one automaton of them.
pub(super) struct Sets<'a> {
    pipeline: &'a Pipeline,
    specs: Vec<SetSpec>,
    /// The paths that a set's patterns without magic name.
    literals: Vec<Vec<Vec<u8>>>,
    patterns: HashMap<String, Pattern>,
    named: HashMap<(String, bool), Option<SetId>>,
    depth: usize,
    inputs: HashMap<InputsKey<'a>, SetId>,
    outputs: HashMap<&'a [OutputPattern], SetId>,
}

type InputsKey<'a> = (&'a [InputRule], bool, Option<SetId>);

/// The sets with what goes beside the automaton.
pub(super) struct Built {
    pub automaton: Automaton,
    pub literals: Vec<Vec<Vec<u8>>>,
}

impl<'a> Sets<'a> {
    pub(super) fn new(pipeline: &'a Pipeline) -> Self {
        Self {
            pipeline,
            specs: Vec::new(),
            literals: Vec::new(),
            patterns: HashMap::new(),
            named: HashMap::new(),
            depth: 0,
            inputs: HashMap::new(),
            outputs: HashMap::new(),
        }
    }

    pub(super) fn build(self) -> Built {
        Built {
            automaton: Automaton::new(&self.specs),
            literals: self.literals,
        }
    }

    /// Both sets of a task.
    pub(super) fn of_task(&mut self, task: &'a Task) -> Result<TaskSets> {
        Ok(TaskSets {
            inputs: self.inputs_of(task)?,
            outputs: self.outputs_of(task)?,
        })
    }

    /// What a task reads: its input rules without its own outputs.
    pub(super) fn inputs_of(&mut self, task: &'a Task) -> Result<SetId> {
        let own = self.own_outputs_to_leave_out(task)?;
        let key = (task.inputs.as_slice(), task.inputs_gitignore, own);
        if let Some(set) = self.inputs.get(&key) {
            return Ok(*set);
        }
        let mut rules = Vec::with_capacity(task.inputs.len() + 1);
        let mut literals = Vec::new();
        for rule in &task.inputs {
            self.add_rule(rule, task.inputs_gitignore, &mut rules, &mut literals)?;
        }
        if let Some(set) = own {
            rules.push(Rule::Group { set, exclude: true });
        }
        let set = self.add(rules, literals, task.inputs_gitignore, false);
        self.inputs.insert(key, set);
        Ok(set)
    }

    /// What a task owns.
    pub(super) fn outputs_of(&mut self, task: &'a Task) -> Result<Option<SetId>> {
        if task.outputs.is_empty() {
            return Ok(None);
        }
        if let Some(set) = self.outputs.get(task.outputs.as_slice()) {
            return Ok(Some(*set));
        }
        let rules = task
            .outputs
            .iter()
            .map(|output| self.glob(&output.glob, output.exclude))
            .collect::<Result<_>>()?;
        let set = self.add(rules, Vec::new(), false, true);
        self.outputs.insert(&task.outputs, set);
        Ok(Some(set))
    }

    /// One input rule alone, to see what it selects by itself.
    pub(super) fn rule_alone(
        &mut self,
        rule: &'a InputRule,
        respects_ignore_files: bool,
    ) -> Result<SetId> {
        let mut rules = Vec::new();
        let included = match rule {
            InputRule::Glob { glob, .. } => InputRule::Glob {
                glob: glob.clone(),
                exclude: false,
            },
            InputRule::Named { named, .. } => InputRule::Named {
                named: named.clone(),
                exclude: false,
            },
        };
        self.add_rule(
            &included,
            respects_ignore_files,
            &mut rules,
            &mut Vec::new(),
        )?;
        Ok(self.add(rules, Vec::new(), respects_ignore_files, false))
    }

    /// One output pattern alone.
    pub(super) fn output_alone(&mut self, output: &OutputPattern) -> Result<SetId> {
        let rule = self.glob(&output.glob, false)?;
        Ok(self.add(vec![rule], Vec::new(), false, true))
    }

    /// The folders in which everything lies that a task owns, none of them below another. None if that is
    /// the whole project.
    pub(super) fn folders_of_outputs(&mut self, task: &'a Task) -> Result<Option<Vec<Vec<u8>>>> {
        let mut folders = BTreeSet::new();
        for output in task.outputs.iter().filter(|output| !output.exclude) {
            for sequence in &self.parse(&output.glob)?.alternatives {
                let folder = sequence.literal_folder();
                if folder.is_empty() {
                    return Ok(None);
                }
                folders.insert(folder);
            }
        }
        let is_below = |path: &[u8], folder: &[u8]| {
            path.len() > folder.len() && path.starts_with(folder) && path[folder.len()] == b'/'
        };
        let outermost = folders
            .iter()
            .filter(|path| !folders.iter().any(|folder| is_below(path, folder)));
        Ok(Some(outermost.cloned().collect()))
    }

    /// The paths at which, or below which, everything lies that a task owns. None if that is the whole
    /// project.
    pub(super) fn places_of_outputs(
        &mut self,
        task: &'a Task,
    ) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let mut places = BTreeSet::new();
        for output in task.outputs.iter().filter(|output| !output.exclude) {
            for sequence in &self.parse(&output.glob)?.alternatives {
                places.insert(sequence.literal_prefix());
            }
        }
        Ok((!places.contains(&b""[..])).then_some(places))
    }

    /// The set of the task's outputs, if any of them could be among its inputs.
    fn own_outputs_to_leave_out(&mut self, task: &'a Task) -> Result<Option<SetId>> {
        let Some(set) = self.outputs_of(task)? else {
            return Ok(None);
        };
        let globs = self.globs_of(&task.inputs);
        let mut inputs = Vec::with_capacity(globs.len());
        for glob in globs {
            inputs.push(self.parse(&glob)?);
        }
        let outputs: Vec<Pattern> = task
            .outputs
            .iter()
            .map(|o| self.parse(&o.glob))
            .collect::<Result<_>>()?;
        let meets = sets_may_meet(
            &inputs.iter().collect::<Vec<_>>(),
            &outputs.iter().collect::<Vec<_>>(),
        );
        Ok(meets.then_some(set))
    }

    /// Every glob of some rules and of the named inputs among them, each named input once.
    fn globs_of(&self, rules: &[InputRule]) -> BTreeSet<String> {
        let mut globs = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&InputRule> = rules.iter().collect();
        while let Some(rule) = open.pop() {
            match rule {
                InputRule::Glob { glob, .. } => {
                    globs.insert(glob.clone());
                }
                InputRule::Named { named, .. } => {
                    if seen.insert(named) {
                        open.extend(self.pipeline.named_inputs.get(named).into_iter().flatten());
                    }
                }
            }
        }
        globs
    }

    fn add_rule(
        &mut self,
        rule: &InputRule,
        respects_ignore_files: bool,
        rules: &mut Vec<Rule>,
        literals: &mut Vec<Vec<u8>>,
    ) -> Result<()> {
        match rule {
            InputRule::Glob { glob, exclude } => {
                rules.push(self.glob(glob, *exclude)?);
                if !exclude {
                    literals.extend(literal_paths(&self.parse(glob)?));
                }
            }
            InputRule::Named { named, exclude } => {
                let set = self.named(named, respects_ignore_files)?;
                rules.push(Rule::Group {
                    set,
                    exclude: *exclude,
                });
                if !exclude {
                    literals.extend(self.literals[set as usize].iter().cloned());
                }
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, respects_ignore_files: bool) -> Result<SetId> {
        let key = (name.to_owned(), respects_ignore_files);
        match self.named.get(&key) {
            Some(Some(set)) => return Ok(*set),
            Some(None) => {
                return Err(Error::Invalid(format!(
                    "the named input `{name}` contains itself"
                )));
            }
            None => {}
        }
        if self.depth == DEEPEST {
            return Err(Error::Invalid(format!(
                "the named input `{name}` lies too deep"
            )));
        }
        self.depth += 1;
        self.named.insert(key.clone(), None);
        let declared = self.pipeline.named_inputs.get(name);
        let declared =
            declared.ok_or_else(|| Error::Invalid(format!("there is no named input `{name}`")))?;
        let (mut rules, mut literals) = (Vec::new(), Vec::new());
        for rule in declared {
            self.add_rule(rule, respects_ignore_files, &mut rules, &mut literals)?;
        }
        let set = self.add(rules, literals, respects_ignore_files, false);
        self.depth -= 1;
        self.named.insert(key, Some(set));
        Ok(set)
    }

    fn glob(&mut self, glob: &str, exclude: bool) -> Result<Rule> {
        Ok(Rule::Glob {
            pattern: self.parse(glob)?,
            exclude,
        })
    }

    fn parse(&mut self, glob: &str) -> Result<Pattern> {
        if let Some(pattern) = self.patterns.get(glob) {
            return Ok(pattern.clone());
        }
        let pattern = Pattern::parse(glob)
            .map_err(|problem| Error::Invalid(format!("the pattern `{glob}`: {problem}")))?;
        self.patterns.insert(glob.to_owned(), pattern.clone());
        Ok(pattern)
    }

    fn add(
        &mut self,
        rules: Vec<Rule>,
        mut literals: Vec<Vec<u8>>,
        respects_ignore_files: bool,
        is_outputs: bool,
    ) -> SetId {
        // Groups of groups may name a path over and over.
        literals.sort_unstable();
        literals.dedup();
        self.specs.push(SetSpec {
            rules,
            respects_ignore_files,
            is_outputs,
        });
        self.literals.push(literals);
        SetId::try_from(self.specs.len() - 1).unwrap_or(SetId::MAX)
    }
}

fn literal_paths(pattern: &Pattern) -> impl Iterator<Item = Vec<u8>> {
    pattern
        .alternatives
        .iter()
        .filter_map(crate::glob::Sequence::literal_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(named: &[(String, Vec<String>)]) -> Result<usize> {
        let mut pipeline = Pipeline::parse(b"{\"ir-version\": 1}")?;
        for (name, contents) in named {
            let rule = |text: &String| match text.strip_prefix('@') {
                Some(named) => InputRule::Named {
                    named: named.to_owned(),
                    exclude: false,
                },
                None => InputRule::Glob {
                    glob: text.clone(),
                    exclude: false,
                },
            };
            let rules = contents.iter().map(rule).collect();
            pipeline.named_inputs.insert(name.clone(), rules);
        }
        let task = Task {
            inputs: vec![InputRule::Named {
                named: "0".into(),
                exclude: false,
            }],
            outputs: vec![OutputPattern {
                glob: "out/**".into(),
                exclude: false,
                optional: false,
            }],
            ..Task::default()
        };
        let mut sets = Sets::new(&pipeline);
        let set = sets.inputs_of(&task)?;
        Ok(sets.literals[set as usize].len())
    }

    #[test]
    fn named_inputs_that_contain_themselves_are_refused() {
        let named = [("0", "@1"), ("1", "@0")];
        let named = named.map(|(name, other)| (name.to_owned(), vec![other.to_owned()]));
        assert!(inputs(&named).is_err());
    }

    #[test]
    fn named_inputs_that_name_others_twice_are_no_larger_for_it() {
        let twice = |number: usize| {
            let next = format!("@{}", number + 1);
            (number.to_string(), vec![next.clone(), next])
        };
        let mut named: Vec<_> = (0..64).map(twice).collect();
        named.push(("64".to_owned(), vec!["a".to_owned()]));
        assert_eq!(inputs(&named).unwrap(), 1);
    }
}
