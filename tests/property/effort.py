"""How hard the laws are tried: with `PIPEC_TEST_EFFORT=50` fifty times as hard as without."""

import os
from typing import Any

from hypothesis import HealthCheck, settings

EFFORT = int(os.environ.get("PIPEC_TEST_EFFORT", "1"))


def laws(examples: int, **others: Any) -> settings:
    """So many examples, times the effort."""
    return settings(
        max_examples=examples * EFFORT,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        **others,
    )
