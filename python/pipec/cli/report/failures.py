"""What failed in a run, for people: why each task ran, how it failed, the end of its log."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipec.cli.documents import ExplainDocument
from pipec.cli.records import outcome, read_verdict, verdict_words
from pipec.cli.report.words import plural
from pipec.runtime.evidence.input_diff import plain_text
from pipec.runtime.visible import visible


def render_failures(document: ExplainDocument, folder: str) -> str:
    """A paragraph for each failed task. `folder`: where the record is, as a person writes it."""
    reason = f" ({document.reason})" if document.reason else ""
    head = f"run {document.run_id} {document.status}{reason}"
    packs: tuple[Any, ...] = document.failed
    if not packs:
        return f"{head}: no task failed\n"
    lines = [f"{head}: {plural(len(packs), 'task')} failed"]
    for pack in packs:
        lines += ["", *_pack(pack, folder)]
    return "\n".join(lines) + "\n"


def _pack(pack: Mapping[str, Any], folder: str) -> Iterator[str]:
    attempts = pack["attempts"]
    yield pack["task"] + (f", after {plural(attempts, 'attempt')}" if attempts > 1 else "")
    yield f"  error[{pack['error']['code']}]: {outcome(pack)}"
    verdict = read_verdict(pack)
    if verdict is not None:
        yield f"  ran because of: {visible(verdict_words(verdict))}"
    if pack.get("inputs"):
        yield from (f"    {visible(line)}" for line in plain_text(pack["inputs"]))
    if pack["log_tail"]:
        part = "the end of " if pack["log_is_cut"] else ""
        yield f"  {part}{visible(folder)}/{pack['log']}:"
        yield from (f"    {visible(line)}" for line in pack["log_tail"].splitlines())
    if pack["claims"]:
        yield f"  claims: {', '.join(map(visible, pack['claims']))}"
    yield f"  reproduce: {visible(pack['reproduce'])}"
