"""The life of a document as one table: which step leads from where to where, and who may take it.

Pages draw their buttons from it, the API its routes, the service its checks and the tests their cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["draft", "in_progress", "handed_in", "returned", "accepted", "published", "cancelled", "archived"]
Part = Literal["sponsor", "editor"]

STATES: Final[tuple[State, ...]] = (
    "draft",
    "in_progress",
    "handed_in",
    "returned",
    "accepted",
    "published",
    "cancelled",
    "archived",
)


@dataclass(frozen=True)
class Step:
    """One step: its name in addresses, who takes it, from which states, to which, and how pages speak of it.

    `end` is None for the step that leads back to wherever the document was; `event` is its name in the trail.
    """

    name: str
    by: Part
    start: frozenset[State]
    end: State | None
    label: str
    done: str
    explain: str
    kind: Literal["primary", "plain", "danger"] = "primary"
    event: str = ""
    noted: bool = False


STEPS: Final[Mapping[str, Step]] = {
    step.name: step
    for step in (
        Step(
            "hand-in", "editor", frozenset({"in_progress", "returned"}), "handed_in",
            "Hand in", "Handed in. The sponsor can read it now.",
            "The sponsor is asked to accept it. You can no longer change the text unless it is returned to you.",
            noted=True,
        ),
        Step(
            "accept", "sponsor", frozenset({"handed_in"}), "accepted",
            "Accept", "Accepted. You can publish it when you like.",
            "The work is done as far as the editor is concerned.",
        ),
        Step(
            "return", "sponsor", frozenset({"handed_in", "accepted"}), "returned",
            "Return for changes", "Returned to the editor.",
            "The editor can write again. Say in the note what should change.", "plain", noted=True,
        ),
        Step(
            "publish", "sponsor", frozenset({"accepted"}), "published",
            "Publish", "Published in the journal.",
            "Everybody can read it in the journal, under the editor's name.",
        ),
        Step(
            "unpublish", "sponsor", frozenset({"published"}), "accepted",
            "Unpublish", "Unpublished. Readers are told that it was withdrawn.",
            "Its page in the journal then says that it was withdrawn. Publish again to bring it back.",
            "danger", "unpublished", noted=True,
        ),
        Step(
            "cancel", "sponsor", frozenset({"draft", "in_progress", "handed_in", "returned", "accepted"}), "cancelled",
            "Cancel the commission", "The commission is cancelled.",
            "Nobody can change or publish this document any more. Its text and history are kept.", "danger",
            noted=True,
        ),
        Step(
            "archive", "sponsor", frozenset({"published", "cancelled"}), "archived",
            "Archive", "Archived. It no longer shows on your dashboard.",
            "It leaves the dashboards; what is published stays in the journal.", "plain",
        ),
        Step(
            "unarchive", "sponsor", frozenset({"archived"}), None,
            "Take out of the archive", "Taken out of the archive.",
            "It is then what it was before it was archived.", "plain", "unarchived",
        ),
    )
}  # fmt: skip

# In which states who may change the text.
WRITABLE: Final[Mapping[Part, frozenset[State]]] = {
    "sponsor": frozenset({"draft", "in_progress", "handed_in", "returned", "accepted"}),
    "editor": frozenset({"in_progress", "returned"}),
}


def steps_for(part: Part, state: str) -> list[Step]:
    """The steps open to somebody with this part in a document in this state."""
    return [step for step in STEPS.values() if step.by == part and state in step.start]


def may_write(part: Part, state: str) -> bool:
    """Whether somebody with this part may change the text now."""
    return state in WRITABLE[part]
