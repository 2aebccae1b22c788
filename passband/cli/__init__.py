"""The command line: parses, calls, prints. No science, and no torch before a command needs it."""

from passband.cli._app import main as main

__all__ = ["main"]
