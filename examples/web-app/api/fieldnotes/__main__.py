"""`python -m fieldnotes SITE [PORT]`: serves a built site on this machine."""

import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from fieldnotes.app import App


def main() -> None:
    """Serves until interrupted."""
    site, port = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    with make_server("127.0.0.1", port, App(site)) as server:
        print(f"serving {site} on port {port}")
        server.serve_forever()


if __name__ == "__main__":
    main()
