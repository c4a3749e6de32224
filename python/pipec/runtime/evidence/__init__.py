"""What a finished run tells: everything here is read off its record, journal, logs and graph."""
