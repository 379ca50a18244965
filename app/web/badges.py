"""The one way a document's state looks: a word with a shape, so that colour is never the only sign."""

from __future__ import annotations

from markupsafe import Markup

_STATES = {
    "draft": ("○", "Draft"),
    "in_progress": ("◐", "In progress"),
    "handed_in": ("▲", "Handed in"),
    "returned": ("↩", "Returned"),
    "accepted": ("✓", "Accepted"),
    "published": ("●", "Published"),
    "cancelled": ("✕", "Cancelled"),
    "archived": ("■", "Archived"),
}


def state_label(state: str) -> str:
    """The words people see for a state: `handed_in` is "Handed in"."""
    return _STATES[state][1] if state in _STATES else state.replace("_", " ").capitalize()


def state_badge(state: str) -> Markup:
    """A state as a small label; an unknown state is still shown by its own name."""
    shape = _STATES[state][0] if state in _STATES else "○"
    return Markup('<span class="badge state-{}"><span aria-hidden="true">{}</span> {}</span>').format(
        state, shape, state_label(state)
    )
