"""The first run of a pipeline file as it is: compiled here, and then the core is asked again."""

import os
import sys
from collections.abc import Sequence


def compile_first(argv: Sequence[str]) -> bool:
    """Compiles the pipeline of a plain run, and gives whether the core can be asked once more.

    Whatever is wrong with the words or the file is left to the long way to say.
    """
    from pipec.cli.console import Console
    from pipec.cli.invocation import Invocation, state_folder
    from pipec.cli.main import VERBS
    from pipec.cli.options import RunOptions, Settings, plain_run, take_globals
    from pipec.frontend import compiled

    if "_PIPEC_COMPLETE" in os.environ:
        return False
    try:
        settings, words = take_globals(argv)
        is_verb = not words or words[0] in VERBS or words[0].startswith("-")
        options = plain_run(words if is_verb else ["run", *words])
        shown = Settings(
            color=settings.color, is_quiet=settings.is_quiet, is_verbose=settings.is_verbose
        )
        if options is None or settings != shown:
            return False
        if options != RunOptions(
            targets=options.targets[:1],
            output_logs=options.output_logs,
            log_order=options.log_order,
        ):
            return False
        console = Console(sys.stdout, sys.stderr, color=False)
        invocation = Invocation(
            cwd=os.getcwd(), environ=os.environ, settings=settings, console=console
        )
        found = invocation.find()
        return compiled.keep(found, state=state_folder(found))
    except Exception:
        # The long way comes upon it too, and has words for it.
        return False
