"""Serves the field notes and answers searches."""
