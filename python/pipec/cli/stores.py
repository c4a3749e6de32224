"""The folders in which a project keeps cache entries, for the commands that look after them."""

import os
from dataclasses import dataclass

from pipec.cli.invocation import Invocation
from pipec.errors import SpecError
from pipec.frontend.discover import Found
from pipec.ir.codec import decode
from pipec.runtime.stores import state_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFolder:
    """A file store. `max_bytes`: what the pipeline allows it to hold."""

    root: str
    max_bytes: int | None = None


def find_stores(invocation: Invocation) -> tuple[Found, tuple[StoreFolder, ...]]:
    """The project and its file stores, the default one first.

    A pipeline that is wrong still has a cache: then only the default store is known.

    Raises:
        SpecError: there is no pipeline.
    """
    found = invocation.find()
    stores = {state_folder(found.root): StoreFolder(root=state_folder(found.root))}
    try:
        _, compiled = invocation.compile()
    except SpecError as error:
        invocation.console.say(f"{found.shown} cannot be read: only its default store is known")
        invocation.console.say(f"  {error.message}")
        return found, tuple(stores.values())
    for kind_and_settings in decode(compiled.pipeline_bytes).cache.stores.values():
        settings = kind_and_settings.get("file")
        if settings is not None:
            root = os.path.join(found.root, settings.get("root") or state_folder(found.root))
            stores[root] = StoreFolder(root=root, max_bytes=settings.get("max-size"))
    return found, tuple(store for store in stores.values() if os.path.isdir(store.root))
