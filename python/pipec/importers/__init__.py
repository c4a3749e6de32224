"""Importers: from another tool's file to a pipeline, with a report of how true it is.

Importing reads files and runs nothing: no tool, no script, no function of a Makefile.
"""
