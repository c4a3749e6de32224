"""The canonical layout of a pipeline file: order of keys, blank lines, long arrays."""
