"""Printers: events, findings and errors become words or JSON here, and nowhere else."""
