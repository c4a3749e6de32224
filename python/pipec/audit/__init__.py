"""Holds what a task declares against what it does: `pipec audit` and `pipec verify --twice`."""
