"""Sources in their normal form."""

from collections.abc import Mapping

from pipec.frontend.lower.steps import lower_step
from pipec.ir.source import Source
from pipec.spec.later import SourceSpec


def lower_sources(sources: Mapping[str, SourceSpec]) -> dict[str, Source]:
    """The sources by name, in the order of their names."""
    return {name: _lower_source(sources[name]) for name in sorted(sources)}


def _lower_source(written: SourceSpec) -> Source:
    return Source(
        git=written.git or "",
        ref=written.ref or "",
        path=written.path or "",
        pipeline=written.pipeline or "",
        prepare=tuple(lower_step(step) for step in written.prepare),
        writable=written.writable,
    )
