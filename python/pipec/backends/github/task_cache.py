"""Results of tasks between runs, apart by what the run may be trusted with.

Runs of the repository's own branches and tags keep their results under one name, all others under
another. The trusted never read what the others have kept; a job that publishes reads nothing.
"""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass

from pipec.backends.github.expression import (
    All,
    Call,
    Equal,
    Name,
    Not,
    Some,
    Template,
    Text,
    some_of,
)
from pipec.backends.github.model import Action, Step
from pipec.ir.cache import CacheSettings

TRUSTED_EVENTS = ("push", "schedule", "workflow_dispatch")
"""What only people with write access, or the repository's own clock, can bring about."""

CHECK_STEP = "check"
DIGEST = "digest"
"""The output of the step that checks the workflow: the digest of the pipeline."""
RUN_STEP = "run"
CONTENT = "cache"
"""The output of the step that runs the job: what the cache holds after it; empty: nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCache:
    """Where results are, from the top of the repository.

    A name begins with the trust domain, the system and the machine, and goes on with the digest of
    the pipeline: what this very pipeline has kept comes first, then what another has.
    """

    path: str

    def restore(self, events: Collection[str]) -> Step:
        """The step that brings results back, the newest of them. `events` are those of the job."""
        domains = dict.fromkeys([_domain(events), _domain(TRUSTED_EVENTS)])
        prefixes = [f"{_domain(events)}{_DIGEST}-", *domains]
        return Step(
            name="Restore results of tasks",
            uses=Action("actions/cache", "restore"),
            inputs={
                "path": self.path,
                "key": Template(f"{prefixes[0]}${{{{ github.run_id }}}}"),
                "restore-keys": Template("".join(f"{prefix}\n" for prefix in prefixes)),
            },
        )

    def save(self, events: Collection[str]) -> Step:
        """The step that keeps results, if there is one that was not there before."""
        content = Name(f"steps.{RUN_STEP}.outputs.{CONTENT}")
        return Step(
            name="Keep results of tasks",
            condition=All((Not(Equal(content, Text(""))), Not(Call("cancelled")))),
            uses=Action("actions/cache", "save"),
            inputs={
                "path": self.path,
                "key": Template(f"{_domain(events)}{_DIGEST}-${{{{ {content} }}}}"),
            },
        )


_DIGEST = f"${{{{ steps.{CHECK_STEP}.outputs.{DIGEST} }}}}"


def _domain(events: Collection[str]) -> str:
    """The beginning of every name. A job of both kinds of events finds out when it runs."""
    trusted = [event for event in TRUSTED_EVENTS if event in events]
    trust = "trusted" if trusted else "untrusted"
    if trusted and not set(events).issubset(TRUSTED_EVENTS):
        conditions = some_of([Equal(Name("github.event_name"), Text(name)) for name in trusted])
        condition = f"({conditions})" if isinstance(conditions, Some) else f"{conditions}"
        trust = f"${{{{ {condition} && 'trusted' || 'untrusted' }}}}"
    return f"pipec-{trust}-${{{{ runner.os }}}}-${{{{ runner.arch }}}}-"


def cache_folder(cache: CacheSettings) -> str:
    """Where the default store keeps results, in the pipeline's folder; empty: not in there."""
    name = cache.default.partition(":")[0]
    store = cache.stores.get(name, {"file": {}} if name == "file" else {})
    if "file" not in store:
        return ""
    root = store["file"].get("root") or ".pipec/cache"
    return "" if os.path.isabs(root) or ".." in root.split("/") else os.path.normpath(root)


_RESULTS = ("ac", "cas", "packs")
"""Folders of a store that grow with each result, and with nothing else."""


def cache_content(folder: str) -> str:
    """A digest of which results a store has; empty: it has none. No result is read for it."""
    files: list[str] = []
    for part in _RESULTS:
        for parent, _, names in os.walk(os.path.join(folder, part)):
            paths = (os.path.join(parent, name) for name in names)
            files += (f"{os.path.relpath(path, folder)} {os.path.getsize(path)}" for path in paths)
    if not files:
        return ""
    return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()[:16]
