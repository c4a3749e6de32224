"""Tokens: where they come from, and how they are kept out of everything that is shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipec import _core
from pipec.codes import Code
from pipec.errors import PipecError, PlanError

NPM = ("NODE_AUTH_TOKEN", "NPM_TOKEN")
PYPI = ("PYPI_TOKEN", "TWINE_PASSWORD", "UV_PUBLISH_TOKEN")
GITHUB = ("GITHUB_TOKEN", "GH_TOKEN")
TOKENS = (*NPM, *PYPI, *GITHUB, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN")
"""Variables that hold a token: no program that needs none sees them."""


def find_token(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of these variables that says something; empty if none does."""
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


def no_token(names: tuple[str, ...], what: str) -> PlanError:
    """The error for a missing token."""
    message = f"{what} needs a token, and neither {' nor '.join(f'`{n}`' for n in names)} is set"
    if names == GITHUB:
        advice = 'declare it for the job: `env = { GITHUB_TOKEN = { secret = "GITHUB_TOKEN" } }`'
    else:
        advice = "in GitHub Actions, `requires.provenance` of a job gives a short-lived one instead"
    return PlanError(Code.PUBLISH_TOKEN_MISSING, message, help=(advice,))


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for programs that need no token."""
    return {name: value for name, value in environ.items() if name not in TOKENS}


class Veil:
    """Hides tokens in texts, also those that come to be known later."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._known = {environ[name] for name in TOKENS if environ.get(name)}

    def learn(self, token: str) -> None:
        """Hides this one too."""
        self._known.add(token)

    def over(self, text: str) -> str:
        """The text without tokens."""
        secrets = sorted(token.encode() for token in self._known if token)
        if not secrets:
            return text
        return _core.Redactor(secrets).redact(text.encode()).decode("utf-8", "replace")

    @contextmanager
    def over_errors(self) -> Iterator[None]:
        """Hides tokens in the messages of errors that come from inside."""
        try:
            yield
        except PipecError as error:
            error.message = self.over(error.message)
            error.args = (error.message,)
            error.help = tuple(self.over(sentence) for sentence in error.help)
            raise
