"""`pipec gc`: sweep old records and cache entries away."""

import json
from typing import Annotated

import typer

from pipec import _core
from pipec.cli.documents import GcDocument, print_document
from pipec.cli.options import UsageError
from pipec.cli.parameters import Dry, Format, Wait, command_app, examples, invocation_of
from pipec.cli.report.words import plural, size
from pipec.cli.stores import find_stores
from pipec.cli.trouble import changing_state
from pipec.clock import SystemClock
from pipec.runtime.lock import take
from pipec.runtime.records import list_runs, prune

app = command_app()

KEEP_BY_DEFAULT = 20
_DAY_MS = 24 * 60 * 60 * 1000
_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


@app.command(
    epilog=examples(
        "pipec gc                       keep 20 runs, and every cache entry that is sound",
        "pipec gc --cache-days 30       and only what was used in the last 30 days",
        "pipec gc --cache-size 5GiB     and only what was used last, up to 5 GiB",
        "pipec gc --dry                 only say what would go",
    )
)
def gc(
    context: typer.Context,
    *,
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="Records to keep, the newest; 0 keeps all.")
    ] = KEEP_BY_DEFAULT,
    cache_days: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Drop cache entries not used for so many days."),
    ] = None,
    cache_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Drop the least recently used entries beyond this."),
    ] = None,
    dry: Dry = False,
    wait: Wait = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Sweep old records and cache entries away. Not while a run is active."""
    invocation = invocation_of(context)
    limit = None if cache_size is None else parse_size(cache_size)
    found, stores = find_stores(invocation)
    now_ms = SystemClock().now_ms()
    lock = take(found.root, run_id="", now_ms=now_ms, action="gc", wait=wait)
    with lock, changing_state():
        swept = [
            json.loads(
                _core.store_sweep(
                    store.root,
                    now_ms=now_ms,
                    max_age_ms=None if cache_days is None else cache_days * _DAY_MS,
                    max_bytes=store.max_bytes if limit is None else limit,
                    dry=dry,
                )
            )
            for store in stores
        ]
        runs = len(list_runs(found.root))
        removed = max(0, runs - keep) if keep else 0
        if not dry:
            prune(found.root, keep=keep)
    document = GcDocument(
        is_dry=dry,
        runs_removed=removed,
        runs_kept=runs - removed,
        entries_removed=sum(part["entries_removed"] for part in swept),
        entries_kept=sum(part["entries_kept"] for part in swept),
        bytes_removed=sum(part["bytes_removed"] for part in swept),
        bytes_kept=sum(part["bytes_kept"] for part in swept),
    )
    if format == "json":
        print_document(invocation.console, document)
    else:
        invocation.console.data(render(document))


def parse_size(text: str) -> int:
    """Bytes of `500MiB`, `5GiB`, `1000`.

    Raises:
        UsageError: it is no size.
    """
    digits = text.rstrip("BKMGTIbkmgti")
    unit = text[len(digits) :].upper()
    if not (digits.isascii() and digits.isdigit() and unit in _UNITS):
        raise UsageError(
            f"`{text}` is no size", help=("write it as `500MiB` or `5GiB`, or in bytes",)
        )
    return int(digits) * _UNITS[unit]


def render(document: GcDocument) -> str:
    """What went and what stays, a line each."""
    verb = "would remove" if document.is_dry else "removed"
    return (
        f"{verb} {plural(document.runs_removed, 'record')}, "
        f"{plural(document.entries_removed, 'cache entry')} ({size(document.bytes_removed)})\n"
        f"kept {plural(document.runs_kept, 'record')}, "
        f"{plural(document.entries_kept, 'cache entry')} ({size(document.bytes_kept)})\n"
    )
