"""What this process remembers of callers, bounded, and never a fact that ended while it was being fetched.

A fill (the query that fetches facts) is open while it runs.  Every notice that arrives in between taints it, and what
a tainted fill brought is used by nobody: the caller asks again.  When the line that brings notices is down nothing is
remembered and nothing remembered is used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from uuid import UUID

from app.rights.facts import CredentialFacts, PersonFacts

CAPACITY = 50_000


class Fill:
    """One fetch under way, and the ids that ended meanwhile."""

    __slots__ = ("all", "ended")

    def __init__(self) -> None:
        self.ended: set[UUID] = set()
        self.all = False

    def good_for(self, *ids: UUID) -> bool:
        """Whether none of these ended while we were fetching."""
        return not self.all and self.ended.isdisjoint(ids)


class Memory:
    """People by id and credentials by whatever they are presented as; least recently used ones make room."""

    def __init__(self, trusted: Callable[[], bool], *, capacity: int = CAPACITY) -> None:
        self._trusted = trusted
        self._capacity = capacity
        self._people: OrderedDict[UUID, PersonFacts] = OrderedDict()
        self._credentials: OrderedDict[Hashable, CredentialFacts] = OrderedDict()
        self._presented: dict[UUID, Hashable] = {}
        self._fills: set[Fill] = set()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._credentials)

    def recall(self, presented: Hashable) -> tuple[CredentialFacts, PersonFacts] | None:
        """What is known of this credential and its person; None when it must be asked for."""
        credential = self._credentials.get(presented)
        person = self._people.get(credential.person_id) if credential is not None else None
        if credential is None or person is None or not self._trusted():
            self.misses += 1
            return None
        self._credentials.move_to_end(presented)
        self._people.move_to_end(person.id)
        self.hits += 1
        return credential, person

    def presented_as(self, credential: UUID) -> Hashable | None:
        """What a remembered credential is presented as, for a caller who can only name it."""
        return self._presented.get(credential)

    @contextmanager
    def filling(self) -> Iterator[Fill]:
        """Open a fill: everything that ends until it closes is noted in it."""
        fill = Fill()
        self._fills.add(fill)
        try:
            yield fill
        finally:
            self._fills.discard(fill)

    def keep(self, fill: Fill, presented: Hashable, credential: CredentialFacts, person: PersonFacts) -> bool:
        """Remember what an open, untainted fill brought; only active people are worth remembering.

        An account that waits or is barred can do nothing that must be fast, and its rights may grow without a notice.
        """
        if not self._trusted() or not fill.good_for(person.id, credential.id) or person.status != "active":
            return False
        self._credentials[presented] = credential
        self._presented[credential.id] = presented
        self._people[person.id] = person
        while len(self._credentials) > self._capacity:
            _, oldest = self._credentials.popitem(last=False)
            self._presented.pop(oldest.id, None)
        while len(self._people) > self._capacity:
            self._people.popitem(last=False)
        return True

    def forget(self, ended: UUID) -> None:
        """A person's rights shrank or a credential ended: drop it, and taint every fill under way."""
        for fill in self._fills:
            fill.ended.add(ended)
        self._people.pop(ended, None)
        presented = self._presented.pop(ended, None)
        if presented is not None:
            self._credentials.pop(presented, None)

    def clear(self) -> None:
        """Forget everything, as after a time in which notices may have been missed."""
        for fill in self._fills:
            fill.all = True
        self._people.clear()
        self._credentials.clear()
        self._presented.clear()
