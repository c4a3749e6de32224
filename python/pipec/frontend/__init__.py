"""From the pipeline file to the normalized pipeline: discover, read, validate, lower, check."""
