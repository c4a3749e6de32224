"""The first step of every job: whether the workflow that runs is the one that pipec generated.

It needs nothing that a runner does not have: it installs nothing, and runs nothing of the
repository. What the pipeline has become since is for `pipec github check`, once pipec is there.
"""

from pipec.backends.github.model import Action, Step

# `tr` makes a checkout with other line endings the same text. macOS may have only `shasum`.
_SCRIPT = """\
digest() { tr -d '\\r' <"$1" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }
fail() { echo "::error file=$1::$2: run 'pipec github generate', and commit"; exit 1; }
[ -f "$LOCK" ] || fail "$LOCK" "the lock of the generated workflow is missing"
[ -f "$WORKFLOW" ] || fail "$WORKFLOW" "the generated workflow is missing"
locked=$(tr -d '\\r' <"$LOCK" | sed -n 's/^    "digest": "sha256:\\([0-9a-f]*\\)",*$/\\1/p')
[ "$(digest "$WORKFLOW")" = "$locked" ] || fail "$WORKFLOW" "this file was edited by hand"
"""


def checkout(*, whole_history: bool = False) -> Step:
    """The repository, without leaving the token behind."""
    depth = {"fetch-depth": 0} if whole_history else {}
    return Step(
        name="Check out the repository",
        uses=Action("actions/checkout"),
        inputs={**depth, "persist-credentials": False},
    )


def guard(*, workflow: str, lock: str, folder: str) -> Step:
    """The step. Paths are from the top of the repository, `folder` is where steps run."""
    return Step(
        name="Check that this workflow is what pipec generated",
        working_directory="${{ github.workspace }}" if folder else "",
        env={"LOCK": lock, "WORKFLOW": workflow},
        run=_SCRIPT,
    )
