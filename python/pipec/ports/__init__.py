"""What pipec asks of things that others can make: a protocol each."""
