"""The secrets of a run, taken out of every text that is printed or stored."""

from collections.abc import Iterable

from pipec import _core

_SHORTEST_BYTES = 4
_LONGEST_FORM = 6
"""How many times its own length a secret can take: as JSON, each byte an escape."""


def is_too_short(secret: str) -> bool:
    """Whether a secret is left in the text: masking `1` or `no` would ruin every log."""
    return 0 < len(secret.encode("utf-8", "surrogateescape")) < _SHORTEST_BYTES


class Redaction:
    """Knows the secrets of one run."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # A secret on several lines is often printed a line at a time.
        lines = {line for secret in secrets for line in (secret, *secret.splitlines())}
        self._secrets = sorted(line.encode("utf-8", "surrogateescape") for line in lines if line)
        self._redactor = _core.Redactor(self._secrets) if self._secrets else None

    def open_stream(self) -> "_core.Redactor | None":
        """A redactor for one stream of bytes; None if there is nothing to hide."""
        return _core.Redactor(self._secrets) if self._secrets else None

    def text(self, text: str) -> str:
        """A whole text without the secrets."""
        if self._redactor is None:
            return text
        redacted = self._redactor.redact(text.encode("utf-8", "surrogateescape"))
        return redacted.decode("utf-8", "surrogateescape")

    @property
    def reach(self) -> int:
        """How many bytes before and after a place a secret at this place can extend."""
        return _LONGEST_FORM * max(map(len, self._secrets), default=0)

    def is_touched(self, before: bytes, shown: bytes, after: bytes) -> bool:
        """Whether any form of a secret lies in what is `shown`, or overlaps it.

        `before` and `after` stand around it, `reach` bytes of each, or less where there is no more.
        """
        if self._redactor is None:
            return False
        redact = self._redactor.redact
        return redact(before + shown + after) != redact(before) + shown + redact(after)
