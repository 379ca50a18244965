"""The two ways a start on this machine ends early."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot go on; the message is one sentence for the person at the terminal, with what to do."""


class StopAskedError(Exception):
    """Somebody asked us to stop while we were still starting."""
