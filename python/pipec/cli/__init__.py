"""The outside: what a person or a script meets. Only here are environment and terminal read."""
