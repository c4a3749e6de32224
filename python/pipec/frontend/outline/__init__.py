"""A pipeline file as it is written, key by key, also where it is half written."""
