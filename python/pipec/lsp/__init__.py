"""The language server: what `pipec lsp` answers to an editor."""
