"""Durations in words for people."""

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_SECOND_MS = 1000


def spell_duration(milliseconds: int) -> str:
    """A duration as a pipeline would write it: `250ms`, `1.5s`, `2m 5s`, `1h 4m`."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds}ms"
    if milliseconds < _MINUTE_MS:
        return f"{milliseconds / _SECOND_MS:.2f}".rstrip("0").rstrip(".") + "s"
    if milliseconds < _HOUR_MS:
        minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
        return f"{minutes}m {rest}s" if rest else f"{minutes}m"
    hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
    return f"{hours}h {rest}m" if rest else f"{hours}h"
