"""Files of the repository that are made from the command line itself; a test compares them.

`python -m pipec.cli.generated` writes them, from the root of a checkout.
"""

from collections.abc import Iterator
from pathlib import Path

from typer._click.core import Command, Context

from pipec.cli.app import Commands, open_app
from pipec.cli.schemas import generated_schemas

_WIDTH = 80


def generated_files() -> dict[str, str]:
    """The text of every such file, by its path in the repository."""
    files = {f"schemas/{name}.schema.json": text for name, text in generated_schemas()}
    files["docs/reference/cli.md"] = "\n".join(_reference())
    for path, page, _ in _pages(open_app(), "pipec"):
        name = path.replace(" ", ".")
        files[f"python/pipec/cli/help/{name}.txt"] = page
    return files


def _reference() -> Iterator[str]:
    """Every help page, as it is printed."""
    yield "# The command line\n"
    yield "Made from the program itself: this is what `--help` prints.\n"
    for path, page, level in _pages(open_app(), "pipec"):
        yield f"{'#' * (level + 2)} `{path}`\n"
        yield f"```text\n{page}```\n"
    yield "## Exit codes\n"
    yield "| code | meaning |\n| ---: | --- |"
    yield "| 0 | done |"
    yield "| 1 | the work failed: a task failed, `check` found errors |"
    yield "| 2 | it could not be done: the command line, the pipeline, the system |"
    yield "| 130 | ended by an interrupt from the keyboard |"
    yield "| 141 | nobody reads the output any more |"
    yield "| 143 | ended by TERM or by the terminal that closed |\n"


def _pages(command: Command, path: str, *, level: int = 0) -> Iterator[tuple[str, str, int]]:
    """Every command with its help, and how deep it lies."""
    context = Context(
        command,
        info_name=path,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield path, command.get_help(context).rstrip() + "\n", level
    if isinstance(command, Commands):
        names = command.list_commands(context)
    else:
        names = list(getattr(command, "commands", ()))
    for name in names:
        child = command.get_command(context, name)  # type: ignore[attr-defined]
        yield from _pages(child, f"{path} {name}", level=level + 1)


if __name__ == "__main__":
    for name, text in generated_files().items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
