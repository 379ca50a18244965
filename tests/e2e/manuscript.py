"""A manuscript as an editor might write it: a small book about inks, made from facts and sentences, always the same."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import NamedTuple

TITLE = "A field guide to sixteen inks"
LEAST = 30_000


class Ink(NamedTuple):
    """One ink: what it is called, looks like and comes from, what it does well and badly, and who swore by it."""

    name: str
    colour: str
    source: str
    place: str
    binder: str
    virtue: str
    fault: str
    witness: str


INKS = (
    Ink("Lampblack", "a warm black", "the soot of oil lamps", "the Nile valley", "gum arabic",
        "it never fades", "it lies on the page and can be washed off", "the clerk of a granary"),
    Ink("Iron gall", "a blue that turns black", "oak galls and copperas", "Toledo", "gum arabic",
        "it bites into the parchment", "it eats the paper if the copperas was heaped", "a notary of the river court"),
    Ink("Sepia", "a soft brown", "the sac of the cuttlefish", "the harbours of Liguria", "rabbit-skin glue",
        "it draws a shadow in one stroke", "strong sun bleaches it", "a mapmaker who worked by the quay"),
    Ink("Bistre", "a smoky brown", "beechwood soot boiled in water", "the Ardennes", "honey and gum",
        "it costs nothing but patience", "it stays sticky on damp days", "a schoolmaster with forty pupils"),
    Ink("Vermilion", "a loud red", "cinnabar ground for a week", "Almadén", "egg white",
        "it makes a heading visible from across the room", "it darkens in foul air", "a rubricator called Ines"),
    Ink("Minium", "an orange red", "lead roasted in an open pan", "Cologne", "egg white",
        "it is bright at half the price", "it is poisonous to those who lick the brush", "the painter of capitals"),
    Ink("Verdigris", "a cold green", "copper plates hung over vinegar", "Montpellier", "pine resin",
        "nothing else is so green", "it burns through the leaf within two lifetimes", "a bookbinder's widow"),
    Ink("Woad", "a grey blue", "leaves fermented in balls", "Thuringia", "lime and gum",
        "it can be grown behind the house", "the vat smells beyond the village", "the bailiff who moved the vats"),
    Ink("Indigo", "a deep blue", "a shrub of the warm coasts", "Gujarat", "gum arabic",
        "a thimble of it colours a jug", "cheap lots are stretched with slate", "a customs officer in Lisbon"),
    Ink("Oak bark", "a reddish brown", "bark stripped in spring", "the Weald", "cherry gum",
        "it is gentle to every paper", "it is pale until the third day", "a parish registrar"),
    Ink("Walnut", "a ripe brown", "green husks left to rot", "the Dordogne", "a little alcohol",
        "children can make it", "it never becomes quite black", "three sisters who kept a diary"),
    Ink("Thornwood", "a brown like tea", "blackthorn bark boiled with wine", "the abbey of Helmarshausen", "dry wine",
        "it keeps for years in a bag as powder", "nobody likes to cut the thorns", "a monk with bandaged hands"),
    Ink("Stick ink", "a bluish black", "pine soot pressed with hide glue", "Anhui", "hide glue",
        "one stick serves for every grey there is", "it must be rubbed afresh each morning", "an old calligrapher"),
    Ink("Red ochre", "a dusty red", "earth dug after rain", "Roussillon", "gum arabic",
        "the oldest walls still show it", "it settles while you look for the brush", "a surveyor of boundary stones"),
    Ink("Aniline violet", "a startling violet", "coal tar", "Perkin's back room in London", "none at all",
        "it flows through any pen", "a summer in the window takes it away", "the secretary of a railway"),
    Ink("Pigment black", "a neutral black", "carbon milled finer than smoke", "many laboratories", "acrylic resin",
        "it stands up to water, light and forgers", "it dries in a pen left open", "an archivist of the present day"),
)  # fmt: skip

SENTENCES = (
    "{name} is {colour}, and whoever has seen it once on good paper knows it again at arm's length.",
    "It is made from {source}, and the best of it came for a long time from {place}.",
    "The powder alone would fall off the page as dust does, so it is bound with {binder}, a little at a time.",
    "Its great merit is that {virtue}; its weakness, which no dealer mentions first, is that {fault}.",
    "We have the word of {witness} for this, in a letter that is mostly about the price of quills.",
    "Pour it slowly, stir with a stick of the same wood each time, and write the date on the jar and not on the lid.",
    "A beginner takes too much, because the first stroke looks thin while it is wet.",
    "Held against the window, a line of it shows where the pen was lifted, turned and set down again.",
    "On vellum it sits differently from paper: the skin is greasy near the spine, and a pinch of chalk helps there.",
    "If you must correct it, scrape with the belly of the knife, never the point, and burnish the place.",
    "Readers do not notice an ink that works, and that is the only praise {name} has ever asked for.",
    "In the ledgers of {place} the columns written in it can be read today without a lamp.",
    "Keep it from frost; a jar that has frozen looks the same in the morning and writes like water at noon.",
    "Two drops of clove oil keep mould away, and the reading room smells of it until the end of the month.",
    "Whether {colour} suits a text is a matter of taste, but a page should never need to be tilted to be read.",
    "That {virtue} is worth more to an archive than beauty, and that {fault} is worth writing on the box.",
)

# In a file of their own, since they are for people who read those scripts and not for tools that read Python.
LABELS = (Path(__file__).parent / "labels.md").read_text(encoding="utf-8")

EASILY_LOST = (
    "Signs that are easily lost on the way: caf\u00e9 and cafe\u0301 (one letter, or a letter and an accent),\n"
    "\u201cquotes\u201d \u2013 and a dash \u2014, a thin space in 10\u2009000, an emoji with a joiner\n"
    "\U0001f469\u200d\U0001f3a8, a tab\there, and two spaces at the end of a line  \nwhich mean that it breaks here.\n"
)

CODE = '''## Mixing by recipe

The cabinet keeps its recipes where a program can read them. Parts are by weight, and the sum need not be round.

```python
def portions(recipe: dict[str, float], grams: float) -> dict[str, float]:
    """Scale a recipe to the weight that is wanted."""
    whole = sum(recipe.values())
    return {name: round(grams * part / whole, 2) for name, part in recipe.items()}


print(portions({"galls": 4, "copperas": 2, "gum": 1, "water": 30}, 250) if 2 < 3 & 1 else "<none>")
```

Inline, `galls | copperas && gum` is not a shell command, and `<script>` is not a tag.
'''


def manuscript() -> str:
    """Return the whole text: Markdown, LF line ends, the same on every call."""
    chapters = [_chapter(number, ink) for number, ink in enumerate(INKS, start=1)]
    text = "\n".join([_opening(), *chapters[:8], _table(), CODE, *chapters[8:], LABELS, EASILY_LOST, _closing()])
    assert len(text) >= LEAST
    return text


def sample() -> str:
    """Return a shorter text with one of everything in it."""
    return "\n".join([_opening(), _chapter(1, INKS[0]), _table(), CODE, LABELS, EASILY_LOST, _closing()])


def _opening() -> str:
    return (
        f"# {TITLE}\n\n"
        "An ink is a colour that has learned to stay. Everything else in this book follows from that sentence.\n\n"
        "Before the first jar is opened, three rules:\n\n"
        "1. Write with what the page can bear.\n"
        "2. Try it on a scrap,\n   - once wet,\n   - once dry,\n   - and once more after a week in the window.\n"
        "3. Tell the next person what you used.\n\n"
        "> The best ink is the one of which enough is left.\n>\n> — said in every workshop, by somebody else\n"
    )


def _chapter(number: int, ink: Ink) -> str:
    """One ink in full.  Every chapter takes the sentences in another order, so that no two pages look alike."""
    order = cycle(SENTENCES[number:] + SENTENCES[:number])
    told = [next(order).format(**ink._asdict()) for _ in SENTENCES]
    paragraphs = [" ".join(told[start : start + 4]) for start in range(0, len(told), 4)]
    facts = f"- **Colour:** {ink.colour}\n- **From:** {ink.source}\n- **Bound with:** {ink.binder}\n"
    return f"## {number}. {ink.name}\n\n" + "\n\n".join(paragraphs) + f"\n\n### {ink.name} in brief\n\n{facts}"


def _table() -> str:
    rows = "\n".join(
        f"| {number} | {ink.name} | {ink.place} | {ink.binder} | {(number * 7) % 10}/10 |"
        for number, ink in enumerate(INKS, start=1)
    )
    head = "| # | Ink | Best from | Bound with | Light |\n|--:|---|---|---|:-:|"
    return f"## All sixteen at a glance\n\n{head}\n{rows}\n"


def _closing() -> str:
    return "---\n\nWash the pen, close the jar, and leave the table as you would like to find it.\n"
