"""Every importer that ships with pipec. A new one is its file and a line here."""

from pipec.importers.github import GITHUB
from pipec.importers.just import JUST
from pipec.importers.make import MAKE
from pipec.importers.nx import NX
from pipec.importers.package_json import PACKAGE_JSON
from pipec.importers.port import Importer
from pipec.importers.taskfile import TASKFILE
from pipec.importers.turbo import TURBO

IMPORTERS: tuple[Importer, ...] = (
    TURBO,
    NX,
    PACKAGE_JSON,
    MAKE,
    JUST,
    TASKFILE,
    GITHUB,
)
