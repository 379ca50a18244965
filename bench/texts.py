"""A believable library for the benchmark of the search: people, documents and journal entries, the same at every run.

Words come as often as in any language (the k-th word k times as rarely as the first; short ones are common, long ones
rare, and many begin alike), lengths are spread as those of texts are, a few people write much and most write little, and
there is more of late than of old.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg

from app.ids import now
from app.search.models import SHORTEST

SEED: Final = 1
WORDS: Final = 200_000
TAGS: Final = 300
SPONSORS: Final = 600
EDITORS: Final = 250
MEMBERS: Final = 1_500
YEARS: Final = 6
_SYLLABLES: Final = [consonant + vowel for vowel in "aeio" for consonant in "bdfgklmnprstvzhj"]
_STATES: Final = {
    "published": 46, "archived": 16, "draft": 11, "in_progress": 10, "cancelled": 6, "handed_in": 5, "accepted": 4,
    "returned": 2,
}  # fmt: skip
_NOBODYS_YET: Final = 0.6  # of drafts
_WITHDRAWN: Final = 0.01  # of entries
_CHANGED_LATER: Final = 0.05  # of all texts
_NAMES: Final = ("Amina", "Bruno", "Clara", "Daniel", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kaya", "Leo")


def word(rank: int) -> str:
    """The word that comes so many times as rarely as the first."""
    syllables = []
    while True:
        rank, last = divmod(rank, len(_SYLLABLES))
        syllables.append(_SYLLABLES[last])
        if not rank:
            return "".join(syllables)


class Writer:
    """Writes titles, texts and tags."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._words = [word(rank) for rank in range(WORDS)]
        self._often = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
        self._tags = [f"{word(rank + 70)}" for rank in range(TAGS)]
        self._tags_often = list(accumulate(1 / (rank + 1) for rank in range(TAGS)))

    def title(self) -> str:
        """Three to eight words, few of which are those every text holds."""
        words = self._random.choices(self._words, cum_weights=self._often, k=12)
        kept = [one for one in words if len(one) > len(_SYLLABLES[0])][: self._random.randint(3, 7)] or words[:3]
        return " ".join(kept).capitalize()

    def text(self) -> str:
        """Paragraphs of sentences; most texts are short and some are very long."""
        length = min(4_000, max(12, int(self._random.lognormvariate(4.9, 0.8))))
        words = self._random.choices(self._words, cum_weights=self._often, k=length)
        sentences = [" ".join(words[at : at + 13]).capitalize() + "." for at in range(0, length, 13)]
        return "\n\n".join(" ".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6))

    def tags(self) -> list[str]:
        """None to four."""
        chosen = self._random.choices(
            self._tags, cum_weights=self._tags_often, k=self._random.choice((0, 0, 1, 2, 3, 4))
        )
        return list(dict.fromkeys(chosen))


class Library:
    """Everything, row by row; `sponsors`, `editors` and `members` begin with those who have most."""

    def __init__(self, texts: int, sponsors: list[UUID], editors: list[UUID], members: list[UUID]) -> None:
        self._texts = texts
        self._random = Random(SEED)
        self._writer = Writer(self._random)
        self._sponsors, self._editors, self._members = sponsors, editors, members
        self._now = now()
        self.entries: list[tuple[Any, ...]] = []

    def documents(self) -> Iterator[tuple[Any, ...]]:
        """Rows of documents, from the oldest; those that were published leave an entry with the same text."""
        states = self._random.choices(list(_STATES), weights=list(_STATES.values()), k=self._texts)
        for number, state in enumerate(states):
            at = self._moment(number)
            sponsor = self._one_of(self._sponsors)
            editor = None if state == "draft" and self._random.random() < _NOBODYS_YET else self._one_of(self._editors)
            title, text, tags = self._writer.title(), self._writer.text(), self._writer.tags()
            document, entry = self._id(), None
            if state == "published":
                entry = self._id()
                withdrawn = at if self._random.random() < _WITHDRAWN else None
                self.entries.append((entry, title, text, editor or sponsor, at, at, document, withdrawn, tags))
            yield document, title, "", text, state, sponsor, editor, entry, tags, at, at

    def written(self) -> Iterator[tuple[Any, ...]]:
        """Rows of entries: those of documents, and as many more by members as make it so many."""
        yield from self.entries
        for number in range(self._texts - len(self.entries)):
            at = self._moment(number * self._texts // max(1, self._texts - len(self.entries)))
            title, text, tags = self._writer.title(), self._writer.text(), self._writer.tags()
            yield self._id(), title, text, self._one_of(self._members), at, at, None, None, tags

    def _moment(self, number: int) -> datetime:
        """Twice as much in the last year as in the first; somebody changes an old text now and then."""
        past = 1 - (number / self._texts) ** 0.7
        if self._random.random() < _CHANGED_LATER:
            past *= self._random.random()
        return self._now - timedelta(days=365 * YEARS * past, seconds=self._random.random() * 3600)

    def _one_of(self, people: list[UUID]) -> UUID:
        """A few people have much, most have little: the first one has about one in twelve."""
        return people[min(int(len(people) ** self._random.random()) - 1, len(people) - 1)]

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


async def fill(db: asyncpg.Connection, texts: int, first: dict[str, UUID]) -> None:
    """Fill an empty database; `first` are the people with most of everything, by role."""
    everybody = {}
    for role, count in (("sponsor", SPONSORS), ("editor", EDITORS), ("member", MEMBERS)):
        others = await _people(db, role, count)
        everybody[role] = [first[role], *others] if role in first else others
    library = Library(texts, everybody["sponsor"], everybody["editor"], everybody["member"])
    columns = {
        "documents": "id title brief body state sponsor_id editor_id entry_id tags created_at updated_at",
        "entries": "id title body author_id published_at updated_at document_id withdrawn_at tags",
    }
    await db.execute("ALTER TABLE documents DROP CONSTRAINT fk_documents_entry_id_entries")
    for table, rows in (("documents", library.documents()), ("entries", library.written())):
        found = await db.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname LIKE 'ix_%' "
            "AND indexname <> 'ix_documents_person'",  # how well it is counted would be forgotten
            table,
        )
        for index in found:  # made anew when all is there, they take a fraction of the time
            await db.execute(f"DROP INDEX {index['indexname']}")
        await db.execute(f"ALTER TABLE {table} DISABLE TRIGGER note_words")
        await db.copy_records_to_table(table, records=rows, columns=columns[table].split(), schema_name="app")
        await db.execute(f"ALTER TABLE {table} ENABLE TRIGGER note_words")
        for index in found:
            await db.execute(index["indexdef"])
    await db.execute(
        "ALTER TABLE documents ADD CONSTRAINT fk_documents_entry_id_entries "
        "FOREIGN KEY (entry_id) REFERENCES entries ON DELETE SET NULL"
    )
    words = sorted({word(rank) for rank in range(WORDS)})  # each of them stands somewhere
    await db.copy_records_to_table(
        "search_words", records=[(one,) for one in words if len(one) >= SHORTEST], schema_name="app"
    )


async def _people(db: asyncpg.Connection, role: str, count: int) -> list[UUID]:
    rows = await db.fetch(
        "INSERT INTO people (id, email, email_key, display_name, password_hash, roles, status, status_since, created_at, "
        "updated_at) SELECT gen_random_uuid(), mail, mail, names[1 + n % cardinality(names)] || ' ' || n, 'none', "
        "ARRAY[$1], 'active', now(), now(), now() "
        "FROM (SELECT n, $1 || n || '@example.org' AS mail, $3::text[] AS names FROM generate_series(1, $2::int) n) made "
        "RETURNING id",
        role,
        count,
        list(_NAMES),
    )
    return [row["id"] for row in rows]
