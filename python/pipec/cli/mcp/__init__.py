"""A server of the Model Context Protocol for one project. Part of the extra `mcp`."""
