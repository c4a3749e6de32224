"""Toolchains of runners, one a file; `providers` has the list."""
