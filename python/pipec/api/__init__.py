"""pipec as a library: what a program calls instead of the command line."""
