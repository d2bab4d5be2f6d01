"""The ways in: the command line, the inbox folder, the worker."""
