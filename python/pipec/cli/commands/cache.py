"""`pipec cache`: the project's cache as a whole."""

import json

import typer

from pipec import _core
from pipec.cli.documents import CacheDocument, StoreContent, print_document
from pipec.cli.parameters import Format, Wait, command_app, examples, invocation_of
from pipec.cli.report.words import plural, size
from pipec.cli.stores import find_stores
from pipec.cli.trouble import changing_state
from pipec.clock import SystemClock
from pipec.runtime.lock import take
from pipec.runtime.visible import visible

app = command_app(help="Look after the cache.")


@app.command(epilog=examples("pipec cache info", "pipec cache info --format json"))
def info(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """Say what the cache holds, and where."""
    invocation = invocation_of(context)
    _, stores = find_stores(invocation)
    contents = tuple(
        StoreContent(folder=store.root, entries=held["entries_kept"], bytes=held["bytes_kept"])
        for store in stores
        for held in (_look(store.root),)
    )
    if format == "json":
        print_document(invocation.console, CacheDocument(stores=contents))
        return
    if not contents:
        invocation.console.say("nothing is cached yet")
    for content in contents:
        entries = plural(content.entries, "entry")
        invocation.console.data(f"{visible(content.folder)}: {entries}, {size(content.bytes)}\n")


@app.command(epilog=examples("pipec cache clear"))
def clear(context: typer.Context, *, wait: Wait = False) -> None:
    """Forget every cached result. The next run starts cold; records of runs stay."""
    invocation = invocation_of(context)
    found, stores = find_stores(invocation)
    now_ms = SystemClock().now_ms()
    lock = take(found.root, run_id="", now_ms=now_ms, action="cache clear", wait=wait)
    with lock, changing_state():
        for store in stores:
            _core.store_clear(store.root)
    invocation.console.say("the cache is empty")


def _look(root: str) -> dict[str, int]:
    # Nothing is old enough to go, and nothing would go: what is left is the count.
    with changing_state():
        swept = _core.store_sweep(root, now_ms=0, max_age_ms=None, max_bytes=None, dry=True)
    counted = json.loads(swept)
    assert isinstance(counted, dict)
    return counted
