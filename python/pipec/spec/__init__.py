"""The pipeline file as its author writes it: one module a section, checked value by value.

What concerns more than one table (references, cycles, overlaps) is the business of the front end.
"""
