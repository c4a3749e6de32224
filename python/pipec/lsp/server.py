"""The server: open files, their diagnostics, and requests on their way to the features."""

import gc
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from pipec import _core
from pipec.lsp.analysis import Analysis, notation_of
from pipec.lsp.checks import Checks
from pipec.lsp.diagnostics import diagnose
from pipec.lsp.edits import Versioned
from pipec.lsp.features import FEATURES, Asked, Feature
from pipec.lsp.inspection import Machine
from pipec.lsp.protocol import Protocol

if TYPE_CHECKING:
    from pipec.lsp.buffer import Buffer

ENDED_IN_ORDER = 0
ENDED_OUT_OF_ORDER = 1
_GARBAGE = (50_000, 20, 20)
"""Values that are made between two searches for cycles; searches between two longer ones."""


def serve(stdin: BinaryIO, stdout: BinaryIO, machine: Machine) -> int:
    """Answers an editor until it ends the server; gives the exit status.

    It is not 0 when the editor went away, or left without asking for the end first.
    """
    # What pygls has to say about single messages is said to the editor.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    # An outline is thousands of small values: to look for cycles among them takes longer than it.
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    server = Server(machine)
    server.start_io(stdin, stdout)
    return ENDED_IN_ORDER if server.protocol.is_shut_down else ENDED_OUT_OF_ORDER


class Server(LanguageServer):
    """The features, and the files that they are asked about."""

    protocol: Protocol  # type: ignore[mutable-override]

    def __init__(self, machine: Machine) -> None:
        super().__init__("pipec", _core.VERSION, protocol_cls=Protocol)
        self._machine = machine
        self._analyses: dict[str, tuple[Buffer, int, Analysis]] = {}
        self._checks = Checks(self._look, ThreadPoolExecutor(1, "checks"))
        self.protocol.on_change = self._checks.request
        for feature in FEATURES:
            self._offer(feature)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Says to the editor what went wrong outside of a request."""
        if source is JsonRpcException:
            self.protocol.answer_unreadable(error)
        elif source is not FeatureRequestError:
            message = f"this is a bug in pipec: {error}"
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def analysis(self, uri: str) -> Analysis | None:
        """What is known of an open file as it is now; None if it is no pipeline."""
        buffer = self.protocol.buffers.get(uri)
        if buffer is None:
            return None
        known = self._analyses.get(uri)
        if known is not None and known[:2] == (buffer, buffer.version):
            return known[2]
        path = to_fs_path(uri) or uri
        positions = buffer.positions
        notation = notation_of(path, buffer.language, positions.content)
        if notation is None:
            return None
        analysis = Analysis(
            path=path,
            notation=notation,
            positions=positions,
            version=buffer.version,
            memory=buffer.memory,
        )
        self._analyses[uri] = (buffer, buffer.version, analysis)
        return analysis

    def _takes_versions(self) -> bool:
        workspace = self.client_capabilities.workspace
        edits = workspace.workspace_edit if workspace else None
        return bool(edits and edits.document_changes)

    def _look(self, uri: str) -> Callable[[], None]:
        """Finds the diagnostics of a file, and gives what says them."""
        analysis = self.analysis(uri)
        if analysis is None:
            is_open = uri in self.protocol.buffers
            return (lambda: None) if is_open else (lambda: self._publish(uri, None, []))
        diagnostics = diagnose(analysis, uri)

        def say() -> None:
            if self.analysis(uri) is analysis:
                self._publish(uri, analysis.version, diagnostics)

        return say

    def _publish(
        self, uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic]
    ) -> None:
        if version is None:
            self._analyses.pop(uri, None)
        params = types.PublishDiagnosticsParams(uri, diagnostics, version)
        self.text_document_publish_diagnostics(params)

    def _offer(self, feature: Feature) -> None:
        """Binds a request to its feature; what is no pipeline gets no answer."""

        def answer(params: Any) -> Any:
            uri = params.text_document.uri
            analysis = self.analysis(uri)
            if analysis is None:
                return None
            target = Versioned(uri, analysis.version, self._takes_versions())
            asked = Asked(analysis, target, self._machine, self.client_capabilities)
            return feature.answer(asked, params)

        self.feature(feature.request, feature.options)(
            self.thread()(answer) if feature.is_slow else answer
        )
