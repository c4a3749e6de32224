"""What Python steps are written with, and the child process that runs them.

Nothing here imports another part of pipec: a step may run under another Python than pipec does.
"""
