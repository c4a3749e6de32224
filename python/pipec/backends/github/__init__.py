"""GitHub Actions as a back end: a workflow made from the pipeline, and what an event would run."""
