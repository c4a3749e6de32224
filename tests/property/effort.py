"""How hard the laws are tried: `PIPEC_TEST_EFFORT=50 pytest tests/property` tries fifty times as hard."""

import os

from hypothesis import HealthCheck, settings

EFFORT = int(os.environ.get("PIPEC_TEST_EFFORT", "1"))


def laws(examples: int, **others: int) -> settings:
    """So many examples, times the effort."""
    return settings(
        max_examples=examples * EFFORT,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        **others,
    )
