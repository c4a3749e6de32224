"""Scripts of package managers that call the jobs and tasks of a pipeline."""
