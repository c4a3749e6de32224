"""What can be tried here at all."""

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Project
from tests.e2e.watching import Watch

# Mount namespaces are Linux's.
collect_ignore = [] if sys.platform == "linux" else ["test_disks.py"]


@pytest.fixture
def watch(project: Project) -> Iterator[Callable[..., Watch]]:
    """Starts watches, and kills what is left of them."""
    watches: list[Watch] = []

    def start(*words: str, env: dict[str, str] | None = None) -> Watch:
        watches.append(Watch(project, *words, env=env))
        return watches[-1]

    yield start
    for one in watches:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()
