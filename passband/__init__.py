"""Passband: fit, analyse and synthesise signals in the frequencies they are made of."""

__version__ = "0.1.0"
