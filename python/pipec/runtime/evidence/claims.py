"""Claims: promises of a project, each with the tests that hold it, in `tests/claims.json`.

The file is the project's own: `{"claims": [{"id": "…", "tests": ["title of a test", …]}, …]}`.
"""

import json
import os

CLAIMS = os.path.join("tests", "claims.json")


def claims_at_stake(root: str, log: str) -> tuple[str, ...]:
    """The ids of all claims with a test whose title stands in a log."""
    try:
        with open(os.path.join(root, CLAIMS), "rb") as file:
            document = json.load(file)
        claims = [(str(claim["id"]), claim["tests"]) for claim in document["claims"]]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(
        name
        for name, titles in claims
        if any(isinstance(title, str) and title and title in log for title in titles)
    )
