"""`pipec schema`: the JSON Schema of the pipeline file."""
