//! Commands that only look at the pipeline: `list` and `graph`, in their plain forms.

use super::project;
use super::{Call, Outcome};
use crate::outline::Outline;

/// What to print of the pipeline.
enum Asked<'a> {
    List,
    Graph { of: Option<&'a str>, is_dot: bool },
}

/// None for a form that is not known whole, and for a pipeline that takes a closer look.
pub(super) fn answer(call: &Call) -> Option<Outcome> {
    let asked = asked(&call.words)?;
    let project = project::locate(&call.folder)?.compiled()?;
    let outline = Outline::parse(&project.ir).ok()?;
    let out = match asked {
        Asked::List if is_plain(&outline) => outline.list(),
        Asked::List => return None,
        Asked::Graph { of, is_dot } => {
            let selected = match of {
                Some(name) => outline.select(name)?,
                None => outline.everything()?,
            };
            if is_dot {
                outline.dot(&selected)
            } else {
                outline.tree(&selected)
            }
        }
    };
    Some(Outcome::Done {
        out,
        err: String::new(),
        status: 0,
        failed: None,
    })
}

fn asked(words: &[String]) -> Option<Asked<'_>> {
    let (verb, rest) = words.split_first()?;
    match verb.as_str() {
        "list" if rest.is_empty() => Some(Asked::List),
        "graph" => {
            let (mut of, mut is_dot) = (None, false);
            let mut rest = rest.iter().map(String::as_str);
            while let Some(word) = rest.next() {
                let format = match word {
                    "--format" => Some(rest.next()?),
                    _ => word.strip_prefix("--format="),
                };
                match format {
                    Some("dot") => is_dot = true,
                    Some("text") => is_dot = false,
                    Some(_) => return None,
                    None if word.starts_with('-') || word.is_empty() || of.is_some() => {
                        return None;
                    }
                    None => of = Some(word),
                }
            }
            Some(Asked::Graph { of, is_dot })
        }
        _ => None,
    }
}

/// Whether every text can be printed as it is: whoever goes the long way looks at each character.
fn is_plain(outline: &Outline) -> bool {
    let of_jobs = outline.jobs.values().map(|job| &job.description);
    let of_tasks = outline.tasks.values().map(|task| &task.description);
    let texts = [&outline.name, &outline.description];
    texts
        .into_iter()
        .chain(of_jobs)
        .chain(of_tasks)
        .all(|text| is_printable(text))
}

pub(super) fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_known(line: &str) -> bool {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        asked(&words).is_some()
    }

    #[test]
    fn only_whole_forms_are_known() {
        for known in [
            "list",
            "graph",
            "graph a",
            "graph --format dot a",
            "graph a --format=text",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "list -v",
            "list --format json",
            "graph a b",
            "graph --format json",
            "show a",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
