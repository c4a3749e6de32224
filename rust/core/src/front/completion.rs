//! Names of jobs and tasks for a shell that completes a word, in the protocol of the scripts that
//! `pipec completions` prints.

use super::looking::is_printable;
use super::words::VERBS;
use super::{Call, Outcome, project};
use crate::outline::Outline;

/// The variable in which a shell says that it wants completions.
pub(super) const VARIABLE: &str = "_PIPEC_COMPLETE";

/// Commands that take names of jobs and tasks, and those that take names of tasks alone. The command line
/// knows the same; a test compares.
const OF_JOBS_AND_TASKS: [&str; 2] = ["run", "graph"];
const OF_TASKS: [&str; 5] = ["run-task", "show", "why", "key", "env"];

/// What stands before the word, and the beginning of the word.
struct Line {
    before: Vec<String>,
    beginning: String,
}

/// None for what only the command line library can complete: commands, options and their values.
pub(super) fn answer(call: &Call) -> Option<Outcome> {
    let shell = call.environment.get(VARIABLE)?.strip_prefix("complete_")?;
    let line = match shell {
        "bash" => line_of_bash(call)?,
        "zsh" | "fish" => line_as_text(call)?,
        _ => return None,
    };
    let (verb, words) = line.before.split_first()?;
    let with_jobs = OF_JOBS_AND_TASKS.contains(&verb.as_str());
    let is_known = with_jobs || OF_TASKS.contains(&verb.as_str());
    // A word that is no name may be an option that takes the next word for its value.
    let are_names = words.iter().all(|word| !word.starts_with('-'));
    let takes_another = words.is_empty() || with_jobs;
    if !is_known || !are_names || !takes_another || line.beginning.starts_with('-') {
        return None;
    }
    debug_assert!(VERBS.contains(&verb.as_str()));
    let outline = Outline::parse(&project::locate(&call.folder)?.compiled()?.ir).ok()?;
    let jobs = outline.jobs.iter().filter(|_| with_jobs);
    let jobs = jobs.map(|(id, job)| (id, &job.description));
    let tasks = outline.tasks.iter();
    let tasks = tasks.filter(|(id, _)| !(with_jobs && outline.jobs.contains_key(*id)));
    let tasks = tasks.map(|(id, task)| (id, &task.description));
    let names: Vec<_> = jobs
        .chain(tasks)
        .filter(|(id, _)| id.starts_with(&line.beginning))
        .collect();
    if !names
        .iter()
        .all(|(_, description)| is_printable(description))
    {
        return None;
    }
    printed(call, shell, &names)
}

fn printed(call: &Call, shell: &str, names: &[(&String, &String)]) -> Option<Outcome> {
    let done = |out: String, status| Outcome::Done {
        out,
        err: String::new(),
        status,
        failed: None,
    };
    let lines = |line: &dyn Fn(&str, &str) -> String| {
        let lines: Vec<_> = names.iter().map(|(id, what)| line(id, what)).collect();
        lines.join("\n")
    };
    match shell {
        "bash" => Some(done(lines(&|id, _| id.to_owned()) + "\n", 0)),
        "fish" => match call
            .environment
            .get("_TYPER_COMPLETE_FISH_ACTION")?
            .as_str()
        {
            "get-args" => {
                let line = |id: &str, what: &str| match what {
                    "" => id.to_owned(),
                    what => format!("{id}\t{what}"),
                };
                Some(done(lines(&line) + "\n", 0))
            }
            // Whether these are all there is to complete, or files should be tried.
            "is-args" => Some(done(String::new(), u8::from(names.is_empty()))),
            _ => None,
        },
        "zsh" if names.is_empty() => Some(done("_files\n".to_owned(), 0)),
        "zsh" => {
            let line = |id: &str, what: &str| match what {
                "" => format!("\"{}\"", escaped(id)),
                what => format!("\"{}\":\"{}\"", escaped(id), escaped(what)),
            };
            Some(done(format!("_arguments '*: :(({}))'\n", lines(&line)), 0))
        }
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('"', "\"\"")
        .replace('\'', "''")
        .replace('$', "\\$")
        .replace('`', "\\`")
        .replace(':', "\\\\:")
}

fn line_of_bash(call: &Call) -> Option<Line> {
    let words = words(call.environment.get("COMP_WORDS")?)?;
    let at: usize = call.environment.get("COMP_CWORD")?.parse().ok()?;
    Some(Line {
        before: words.get(1..at.min(words.len()))?.to_vec(),
        beginning: words.get(at).cloned().unwrap_or_default(),
    })
}

fn line_as_text(call: &Call) -> Option<Line> {
    let text = call.environment.get("_TYPER_COMPLETE_ARGS")?;
    let mut before = words(text)?.get(1..)?.to_vec();
    let beginning = if text.ends_with(' ') {
        String::new()
    } else {
        before.pop().unwrap_or_default()
    };
    Some(Line { before, beginning })
}

/// None for a line whose words take the rules of a shell to tell apart.
fn words(line: &str) -> Option<Vec<String>> {
    let is_plain = !line.contains(['"', '\'', '\\', '#']);
    is_plain.then(|| line.split_ascii_whitespace().map(str::to_owned).collect())
}
