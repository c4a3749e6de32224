"""Times of records as numbers."""

import calendar
import time


def epoch_ms(moment: str) -> int:
    """Milliseconds since the epoch of a time as records write it: `2026-11-22T01:19:48.123Z`.

    Raises:
        ValueError: it is no such time.
    """
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    whole = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S"))
    return whole * 1000 + int(f"{fraction or '0':0<3}"[:3])
