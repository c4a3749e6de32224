"""Putting a package where others get it from: registries and releases."""
