"""How the terminal spells sizes and counts. Durations and names are spelled in `runtime`."""

_STEP = 1024


def size(count: int) -> str:
    """`512 B`, `1.5 KiB`, `20.0 GiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _STEP:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _STEP
    return f"{amount:.1f} TiB"


def plural(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`, `3 entries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("ry") else f"{count} {noun}s"
