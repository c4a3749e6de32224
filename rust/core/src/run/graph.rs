//! What waits for what in a run, as its record keeps it.

use serde::Serialize;

use crate::ir::Pipeline;

#[derive(Serialize)]
pub(crate) struct Graph<'a> {
    schema_version: u32,
    jobs: Vec<GraphJob<'a>>,
    tasks: Vec<GraphTask<'a>>,
}

#[derive(Serialize)]
struct GraphJob<'a> {
    id: &'a str,
    targets: &'a [String],
}

#[derive(Serialize)]
struct GraphTask<'a> {
    id: &'a str,
    depends_on: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    /// The graph of these tasks; `asked` are the names of jobs and tasks that brought them about.
    pub(crate) fn of(pipeline: &'a Pipeline, asked: &'a [String], tasks: &'a [String]) -> Self {
        let tasks = tasks.iter().filter_map(|id| {
            let depends_on = &pipeline.tasks.get(id)?.depends_on;
            Some((id.as_str(), depends_on.iter().map(String::as_str).collect()))
        });
        Self::of_tasks(pipeline, asked, tasks)
    }

    /// The same of tasks that are not at hand, each with those that it depends on.
    pub(crate) fn of_tasks(
        pipeline: &'a Pipeline,
        asked: &'a [String],
        tasks: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Self {
        let jobs = asked.iter().filter_map(|name| {
            let job = pipeline.jobs.get(name)?;
            let targets = &job.targets;
            Some(GraphJob { id: name, targets })
        });
        Self {
            schema_version: 1,
            jobs: jobs.collect(),
            tasks: tasks
                .map(|(id, depends_on)| GraphTask { id, depends_on })
                .collect(),
        }
    }
}
