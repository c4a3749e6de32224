"""Every importer that ships with pipec. A new one is its file and a line here."""

from pipec.importers.package_json import PACKAGE_JSON
from pipec.importers.port import Importer
from pipec.importers.turbo import TURBO

IMPORTERS: tuple[Importer, ...] = (
    TURBO,
    PACKAGE_JSON,
)
