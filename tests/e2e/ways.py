"""The two ways in which a run is executed: by the core alone, and by Python's executor.

Words are added to a command line, in front of a `--`. `test_front_door_and_long_way.py` holds that
each is executed as its name says.
"""

import pytest

NATIVE: tuple[str, ...] = ()
PYTHON = ("-C", ".")
"""A form of the command line that the core does not know."""

WAYS = pytest.mark.parametrize("way", [NATIVE, PYTHON], ids=["native", "python"])
