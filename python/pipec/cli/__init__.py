"""The outside: what a person or a script meets. Only here are the environment and the terminal read."""
