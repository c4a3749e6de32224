"""What must hold for a pipeline as a whole: one rule a function, each yields its findings."""

from collections.abc import Callable, Iterator

from pipec.diagnostics import Finding
from pipec.frontend.check.caching import cache_without_inputs, cache_without_outputs
from pipec.frontend.check.checked import Checked
from pipec.frontend.check.cycles import dependency_cycles, job_cycles, store_cycles
from pipec.frontend.check.files import (
    never_inputs,
    never_outputs,
    outputs_of_strangers,
    overlapping_outputs,
    undeclared_dependencies,
)
from pipec.frontend.check.later import (
    profiles_for_later,
    sections_for_later,
    stores_for_later,
)
from pipec.frontend.check.names import (
    misspelt_named_inputs,
    unknown_agents,
    unknown_jobs,
    unknown_pools,
    unknown_profiles,
    unknown_sandboxes,
    unknown_stores,
    unknown_triggers,
)
from pipec.frontend.check.services import services_that_do_not_stay
from pipec.frontend.check.triggers import bad_patterns, unknown_activities, useless_filters
from pipec.frontend.check.unused import (
    unused_agents,
    unused_defaults,
    unused_named_inputs,
    unused_pools,
    unused_sandboxes,
    unused_triggers,
)
from pipec.frontend.document import Document
from pipec.frontend.lower import Lowered
from pipec.spec.pipeline import PipelineSpec

RULES: tuple[Callable[[Checked], Iterator[Finding]], ...] = (
    sections_for_later,
    profiles_for_later,
    stores_for_later,
    unknown_jobs,
    unknown_triggers,
    unknown_pools,
    unknown_stores,
    unknown_agents,
    unknown_profiles,
    unknown_sandboxes,
    misspelt_named_inputs,
    bad_patterns,
    useless_filters,
    unknown_activities,
    dependency_cycles,
    job_cycles,
    store_cycles,
    overlapping_outputs,
    undeclared_dependencies,
    outputs_of_strangers,
    never_inputs,
    never_outputs,
    cache_without_inputs,
    cache_without_outputs,
    services_that_do_not_stay,
    unused_named_inputs,
    unused_triggers,
    unused_pools,
    unused_sandboxes,
    unused_agents,
    unused_defaults,
)


def check(spec: PipelineSpec, lowered: Lowered, document: Document) -> Iterator[Finding]:
    """What every rule finds, rule by rule."""
    checked = Checked(spec, lowered.pipeline, lowered.origins, lowered.member_origins, document)
    for rule in RULES:
        yield from rule(checked)
