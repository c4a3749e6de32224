"""The life of a server and of the files that its editor has open, as the protocol wants them.

Files are kept by `Buffer` and not by pygls, which takes characters for line ends that are none.
"""

import json
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.protocol.json_rpc import (
    JsonRPCNotification,
    RPCMessage,
    RPCNotification,
    RPCRequest,
)
from pygls.protocol.language_server import LanguageServerProtocol, lsp_method

from pipec.lsp.buffer import Buffer

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_INITIALIZED = int(types.ErrorCodes.ServerNotInitialized)
_ANSWERED = "$/pipec/answered"
"""The method of what takes the place of a message that is dealt with."""
_CANNOT_BE_READ = int(types.ErrorCodes.ParseError)


class Protocol(LanguageServerProtocol):
    """Takes messages in. `on_change` is told of every open file that changes, or is closed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.buffers: dict[str, Buffer] = {}
        self.on_change: Callable[[str], None] = lambda _uri: None

    @property
    def is_shut_down(self) -> bool:
        """Whether the editor has asked for the end, so that an exit is in order."""
        return self._shutdown

    def encoding(self) -> str:
        """What columns are counted in."""
        agreed = self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16
        return types.PositionEncodingKind(agreed).value

    def handle_message(self, message: RPCMessage) -> None:
        """Refuses what comes before the beginning or after the end, as the protocol says."""
        if getattr(message, "method", "") == _ANSWERED:
            return
        is_initialized = self._workspace is not None
        if isinstance(message, RPCRequest):
            if self._shutdown:
                self._refuse(message.id, JsonRpcInvalidRequest("the server is shut down"))
                return
            if not is_initialized and message.method != types.INITIALIZE:
                refusal = JsonRpcException("the server is not initialized", _NOT_INITIALIZED)
                self._refuse(message.id, refusal)
                return
            if is_initialized and message.method == types.INITIALIZE:
                self._refuse(message.id, JsonRpcInvalidRequest("the server is initialized"))
                return
        elif (
            isinstance(message, RPCNotification)
            and not is_initialized
            and message.method != types.EXIT
        ):
            return
        super().handle_message(message)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The message as the protocol's types have it; one that does not fit is answered here."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" not in data or not isinstance(data.get("id"), (str, int)):
                raise
            self._refuse(data["id"], JsonRpcInvalidParams(str(error)))
            return JsonRPCNotification(_ANSWERED, self.VERSION, None)

    def answer_unreadable(self, error: Exception) -> None:
        """Answers a message that is none: nobody knows which one it was."""
        is_json = not isinstance(error, (json.JSONDecodeError, UnicodeDecodeError))
        code = JsonRpcInvalidRequest.CODE if is_json else _CANNOT_BE_READ
        self._refuse(None, JsonRpcException("this message cannot be read", code))

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """A file was opened."""
        item = params.text_document
        self.buffers[item.uri] = Buffer(item, self.encoding())
        self.on_change(item.uri)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """An open file was changed."""
        uri = params.text_document.uri
        buffer = self.buffers.get(uri)
        if buffer is not None:
            buffer.change(params.text_document.version, params.content_changes)
            self.on_change(uri)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """A file was closed: what its editor had of it counts no more."""
        uri = params.text_document.uri
        if self.buffers.pop(uri, None) is not None:
            self.on_change(uri)

    def _refuse(self, message: Any, error: JsonRpcException) -> None:
        refusal = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": message, "error": refusal})
