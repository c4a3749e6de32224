"""The tags of a repository on GitHub, asked for with the user's git."""

import subprocess
from collections.abc import Mapping

from pipec.codes import Code
from pipec.errors import RunError

_HOST = "https://github.com/"
_PEELED = "^{}"
_PATIENCE = 60


def tags_of(repository: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The commit of each tag.

    Raises:
        RunError: the repository cannot be asked.
    """
    words = ["git", "ls-remote", "--tags", "--", f"{_HOST}{repository}"]
    # Nobody is there to type a password, and none is needed for what is public.
    environment = {**environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        answer = subprocess.run(  # noqa: S603 - the words are those above
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except FileNotFoundError:
        raise _unanswered(repository, "there is no `git` on the path") from None
    except subprocess.TimeoutExpired:
        raise _unanswered(repository, f"there was no answer in {_PATIENCE} seconds") from None
    if answer.returncode != 0:
        said = answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise _unanswered(repository, said)
    tags: dict[str, str] = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        commit, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        # An annotated tag is an object of its own: the peeled line after it has the commit.
        tags[name.removesuffix(_PEELED)] = commit
    return tags


def _unanswered(repository: str, why: str) -> RunError:
    return RunError(
        Code.STORE_UNAVAILABLE,
        f"the tags of `{repository}` are not known: {why}",
        help=("`pipec github update --offline` asks nobody",),
    )
