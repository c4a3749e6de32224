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
    depends_on: &'a [String],
}

impl<'a> Graph<'a> {
    /// The graph of these tasks; `asked` are the names of jobs and tasks that brought them about.
    pub(crate) fn of(pipeline: &'a Pipeline, asked: &'a [String], tasks: &'a [String]) -> Self {
        let jobs = asked.iter().filter_map(|name| {
            let job = pipeline.jobs.get(name)?;
            let targets = &job.targets;
            Some(GraphJob { id: name, targets })
        });
        let tasks = tasks.iter().filter_map(|id| {
            let depends_on = &pipeline.tasks.get(id)?.depends_on;
            Some(GraphTask { id, depends_on })
        });
        Self {
            schema_version: 1,
            jobs: jobs.collect(),
            tasks: tasks.collect(),
        }
    }
}
