"""The policy on command lines: which commands a text holds, and what the rules say about each."""
