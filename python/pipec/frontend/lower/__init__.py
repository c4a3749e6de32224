"""Lowering: from the file as written to the normalized pipeline, one module a noun."""

from pipec.frontend.lower.pipeline import Lowered, lower

__all__ = ["Lowered", "lower"]
