"""What a pipeline is compiled into besides a local run."""
