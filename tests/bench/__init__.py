"""Measurements of speed and memory, each beside raw `sqlite3` or bare `requests` in the same run: `make bench`."""
