"""Where results are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Policy = Literal["local", "session", "read", "read-write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCache:
    """How one task is cached. `ttl_ms` counts from the original finish."""

    store: str = "file"
    policy: Policy = "local"
    ttl_ms: int | None = None
    salt: str = ""
    outputs_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """The pipeline's stores by name: kind and settings. `file` and `memory` always exist.

    A store is `{"file": {"root": …, "max-size": bytes}}`, `{"memory": {}}` and so on: one key,
    its kind.
    """

    default: str = "file:local"
    stores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
