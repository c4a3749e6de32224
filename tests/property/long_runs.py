"""The machine of `test_runs.py` for as many steps as one likes, with each step counted.

`python -m tests.property.long_runs --steps 100000 --seed 1 2` takes a process for each seed. A
failure is printed with its steps, made as small as can be.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.test_runs import Runs

# Projects between two looks at the count, and steps in the life of one.
PROJECTS, STEPS = 50, 40

HOW = settings(
    max_examples=PROJECTS,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def play(first: int, steps: int) -> Counter[str]:
    """At least so many steps, always the same for a seed. Raises what the machine raises."""
    Runs.done.clear()
    part = 0
    while Runs.done["steps"] < steps:
        # Each part begins with a number of its own: seeds below a thousand never meet.
        machine = seed(first + 1000 * part)(type("Runs", (Runs,), {}))
        run_state_machine_as_test(machine, settings=HOW)
        part += 1
        say(f"seed {first}: {Runs.done['steps']} steps")
    return Runs.done


def main() -> None:
    """Plays all seeds and says what was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="of all seeds together")
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="one process each")
    asked = parser.parse_args()
    each = -(-asked.steps // len(asked.seed))
    with ProcessPoolExecutor(len(asked.seed)) as processes:
        played = processes.map(play, asked.seed, [each] * len(asked.seed))
        total = sum(played, Counter[str]())
    say(", ".join(f"{number} {what}" for what, number in total.items()))


def say(line: str) -> None:
    """At once, so that one can see how far it has come."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
