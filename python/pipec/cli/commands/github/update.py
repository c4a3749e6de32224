"""`pipec github update`: newer actions, and the workflow made of them."""

from dataclasses import replace
from typing import Annotated

import typer

from pipec.backends.github.generate import generate, generate_with
from pipec.backends.github.pins import ReadPins
from pipec.backends.github.versions import newest
from pipec.cli.commands.github.generate import write_or_say
from pipec.cli.github_subject import open_subject
from pipec.cli.parameters import Dry, examples, invocation_of
from pipec.cli.remote_tags import tags_of
from pipec.codes import Code
from pipec.errors import DriftError


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="update",
        epilog=examples(
            "pipec github update            ask GitHub for newer releases",
            "pipec github update --major    also for those that change how they are used",
            "pipec github update --offline  after a bot has moved the pins",
        ),
    )(update_pins)


def update_pins(
    context: typer.Context,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: take the file of pins as it is.")
    ] = False,
    major: Annotated[
        bool, typer.Option("--major", help="Also take releases with another first number.")
    ] = False,
    dry: Dry = False,
) -> None:
    """Move the pins of actions to newer releases, and write the workflow anew.

    Of each action the repository's tags are asked for with git. A pin whose version is
    now another commit is an error: a tag that has moved is what pins are there against.
    """
    invocation = invocation_of(context)
    _, _, subject = open_subject(invocation)
    generated = generate(subject)
    if offline:
        write_or_say(invocation, generated, dry=dry)
        return
    pins = dict(generated.workflow.pins)
    for action, pin in generated.workflow.pins.items():
        tags = tags_of(action, invocation.environ)
        expected = tags.get(pin.version)
        if expected is not None and expected != pin.sha:
            raise DriftError(
                Code.PIN_MISMATCH,
                f"`{action}` {pin.version} is pinned to {pin.sha[:12]}, and the tag is "
                f"{expected[:12]}",
                help=("find out why before you trust either: the tag may have been moved",),
            )
        version = newest(tags, since=pin.version, any_major=major)
        if version:
            pins[action] = replace(pin, version=version, sha=tags[version])
            invocation.console.say(f"{action}: {pin.version} to {version}")
    write_or_say(invocation, generate_with(subject, ReadPins(pins)), dry=dry)
