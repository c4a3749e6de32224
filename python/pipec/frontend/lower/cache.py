"""Cache references, the registry of stores and the cache of one task in their normal form."""

from typing import Any, cast

from pipec.ir.cache import CacheSettings, Policy, TaskCache
from pipec.spec.cache import CacheRegistry, EnvText, StoreSpec, TaskCacheSpec

_DEFAULT_FILE_STORE = {"file": {"root": ".pipec/cache"}}


def lower_cache(written: str | CacheRegistry) -> CacheSettings:
    """The pipeline's stores and its default, in which the policy is always spelled out."""
    if isinstance(written, str):
        return CacheSettings(default=":".join(_parts(written)))
    stores = {name: _lower_store(written.stores[name]) for name in sorted(written.stores)}
    if stores.get("file") == _DEFAULT_FILE_STORE:
        del stores["file"]
    if stores.get("memory") == {"memory": {}}:
        del stores["memory"]
    return CacheSettings(default=":".join(_parts(written.default)), stores=stores)


def lower_task_cache(written: bool | str | TaskCacheSpec, *, default: str) -> TaskCache | None:  # noqa: FBT001
    """How a task is cached; None for a task that is not."""
    if written is False:
        return None
    if isinstance(written, bool):
        store, policy = _parts(default)
        return TaskCache(store=store, policy=policy)
    if isinstance(written, str):
        store, policy = _parts(written)
        return TaskCache(store=store, policy=policy)
    store, policy = _parts(default if written.store is None else written.store)
    return TaskCache(
        store=store,
        policy=written.policy or policy,
        ttl_ms=written.ttl,
        salt=written.salt,
        outputs_only=written.outputs_only,
    )


def _parts(reference: str) -> tuple[str, Policy]:
    """Store and policy. Memory lives no longer than the process, so its policy is `session`."""
    store, _, policy = reference.partition(":")
    return store, cast("Policy", policy or ("session" if store == "memory" else "local"))


def _lower_store(spec: StoreSpec) -> dict[str, Any]:
    kind = next(iter(spec.model_fields_set))
    settings = getattr(spec, kind)
    if isinstance(settings, list):
        return {kind: {"stores": settings}}
    lowered: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value not in {None, ""} if isinstance(value, (str, type(None))) else True:
            lowered[field.alias or name] = (
                {"env": value.env} if isinstance(value, EnvText) else value
            )
    return {kind: dict(sorted(lowered.items()))}
