"""The entry point of the command line: `pipec …` and `python -m pipec …`."""

import sys

from pipec.cli.main import main as run_command_line


def main() -> None:
    """Runs the command line of this process and exits with its status."""
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
