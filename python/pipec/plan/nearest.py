"""The names that somebody who wrote an unknown name may have meant."""

from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """At most one sentence of help: the names closest to `word`, best first."""
    # Only mistakes come here, and difflib is not free to import.
    from difflib import get_close_matches  # noqa: PLC0415

    by_lower = {name.lower(): name for name in sorted(names, reverse=True)}
    close = [
        by_lower[low] for low in get_close_matches(word.lower(), by_lower, n=limit, cutoff=0.6)
    ]
    if not close:
        return ()
    quoted = [f"`{name}`" for name in close]
    *some, last = quoted
    return (f"did you mean {', '.join(some)} or {last}?" if some else f"did you mean {last}?",)
