"""From a pipeline and a request to a plan: plain data and pure functions."""
