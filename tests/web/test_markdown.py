"""Markdown becomes safe HTML: what is kept, what is refused, and that no text is too much."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.code import LONGEST, highlight
from app.web.markdown import TOO_COSTLY, Heading, contents, excerpt, read, render

ALLOWED_ATTRIBUTES = {
    "href", "title", "rel", "id", "src", "alt", "start", "class", "role", "aria-label", "tabindex",
}  # fmt: skip
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](vbscript:x)",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "![a](data:image/svg+xml,<svg/onload=alert(1)>)",
    "<javascript:alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    '[a](https://x.example "onmouseover=alert(1) \\"><script>")',
    '```"><script>alert(1)</script>\nx\n```',
    '# "><img src=x onerror=alert(1)>',
    '[^"><script>]: x\n\n[^"><script>]',
    "| a |\n|---|\n| <svg/onload=alert(1)> |",
    '!["><script>alert(1)</script>](https://x.example/a.png)',
    "- [x] <iframe src=//x.example>",
    '<a style="position:fixed" href="/">',
]  # fmt: skip


class Audit(HTMLParser):
    """Collects what a browser would see as tags, attributes and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


def audit(html: str) -> Audit:
    seen = Audit()
    seen.feed(html)
    return seen


def assert_harmless(html: str) -> None:
    seen = audit(html)
    assert not seen.tags & {"script", "iframe", "svg", "style", "form", "input", "object", "link", "meta"}
    assert seen.attributes <= ALLOWED_ATTRIBUTES
    for address in seen.addresses:
        scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", address)
        assert scheme is None or scheme.group(1).lower() in {"http", "https", "mailto"}


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_that_runs_gets_through(text: str) -> None:
    assert_harmless(render(text))


@given(st.text(alphabet="[]()<>!*_`~#|-:\\&;\"'=/^ \n\tajx1\u202e\x00", max_size=200))
def test_no_text_at_all_gets_anything_dangerous_through(text: str) -> None:
    assert_harmless(render(text))


def test_what_writers_use_is_there() -> None:
    html = render("**b** *i* ~~s~~ `c`\n\n> q\n\n1. one\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n---\n")
    for piece in ("<strong>b</strong>", "<em>i</em>", "<s>s</s>", "<code>c</code>", "<blockquote>", "<ol>", "<hr>"):
        assert piece in html
    assert '<td class="align-center">1</td>' in html
    assert '<td class="align-right">2</td>' in html
    assert 'tabindex="0"' in html  # a wide table scrolls by itself, also by keyboard


def test_a_text_has_no_h1_of_its_own() -> None:
    assert render("# A\n\n###### F") == '<h2 id="s-a">A</h2>\n<h6 id="s-f">F</h6>\n'


def test_contents_name_the_anchors_of_the_rendered_text() -> None:
    text = "# Notes\n\n## Notes\n\n## *Ink* & `vellum`\n\n## عن النسخ\n\n##\n"
    headings = contents(text)
    assert headings[:3] == [
        Heading(2, "s-notes", "Notes"), Heading(3, "s-notes--2", "Notes"), Heading(3, "s-ink-vellum", "Ink & vellum"),
    ]  # fmt: skip
    assert len({heading.id for heading in headings}) == len(headings)
    html = render(text)
    assert all(f'id="{heading.id}"' in html for heading in headings)


def test_outside_links_are_marked_and_inside_ones_are_not() -> None:
    html = render("[a](https://x.example) [b](/entry/1) [c](#s-a) [d](//x.example) [e](/a//b) <mailto:a@x.example>")
    assert html.count('rel="noopener noreferrer nofollow"') == 2
    assert '<a href="/entry/1">b</a>' in html
    assert 'href="mailto:a@x.example"' in html


def test_images_from_elsewhere_become_links_so_that_no_reader_is_tracked() -> None:
    html = render("![plan](https://x.example/a.png) ![here](/attachments/1) [![in](https://x.example/b.png)](/entry/1)")
    assert 'src="https' not in html
    assert '<img src="/attachments/1" alt="here">' in html
    assert '<a href="https://x.example/a.png" rel="noopener noreferrer nofollow">[Image: plan]</a>' in html
    assert '<a href="/entry/1">[Image: in]</a>' in html


def test_tasks_say_whether_they_are_done() -> None:
    html = render("- [x] ruled\n- [ ] written\n- plain")
    assert 'aria-label="Done">☑</span> ruled' in html
    assert 'aria-label="To do">☐</span> written' in html
    assert "<li>plain</li>" in html


def test_footnotes_lead_there_and_back() -> None:
    html = render("Text[^a].\n\n[^a]: Note.")
    assert 'href="#fn1" id="fnref1"' in html
    assert 'id="fn1"' in html
    assert 'href="#fnref1"' in html


def test_code_is_coloured_by_class_and_escaped() -> None:
    html = render("```python\ndef f(): return '<b>'\n```")
    assert '<span class="k">def</span>' in html
    assert "&lt;b&gt;" in html
    assert "style=" not in html


@pytest.mark.parametrize("text", ["`a\u202eb`", "```\na\u202eb\n```", "```python\n'a\u202eb'\n```", "    a\u202eb"])
def test_hidden_characters_in_code_are_shown(text: str) -> None:
    html = render(text)
    assert '<span class="mark" title="Right-to-left override">U+202E</span>' in html
    assert "\u202e" not in html


def test_code_with_spaces_tabs_and_newlines_is_left_as_it_is() -> None:
    assert highlight("a\tb\n", "") == "a\tb\n"


@pytest.mark.parametrize("source", ["x" * (LONGEST + 1), "$ " * 1000, "\n" * 1000])
def test_code_that_would_keep_a_lexer_busy_stays_plain(source: str) -> None:
    assert highlight(source, "java") == source


PATHOLOGICAL = {
    "brackets": "[" * 100_000,
    "images": "![" * 100_000,
    "quotes": "> " * 100_000,
    "nested lists": "".join(" " * (2 * depth) + "- a\n" for depth in range(700)),
    "flat list": "- a\n" * 100_000,
    "emphasis": "*a " * 100_000,
    "both emphases": "*a_b" * 100_000,
    "backticks": "".join("`" * count + " " for count in range(900)),
    "open links": "[a](" * 100_000,
    "angle links": "[a](<b" * 80_000,
    "ampersands": "&" * 400_000,
    "less-than": "<" * 400_000,
    "table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 50_000,
    "open footnotes": "[^1]: x\n\n" + "[^" * 200_000,
    "footnotes": "[^1]: x\n\n" + "[^1]" * 100_000,
    "references": "".join(f"[r{number}]: /u\n" for number in range(20_000)),
    "headings": "# a\n" * 100_000,
    "fences": "```java\n$ $ $\n```\n" * 20_000,
    "one line": "word " * 100_000,
    "mixture": "*[`<!~_" * 60_000,
    "nul": "\x00" * 500_000,
    "lone surrogates": "\ud800" * 100_000,
}


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_text_takes_long(name: str) -> None:
    began = time.thread_time()
    html = render(PATHOLOGICAL[name])
    assert time.thread_time() - began < 1.0
    assert_harmless(html[:200_000])
    excerpt(PATHOLOGICAL[name])
    assert time.thread_time() - began < 2.0  # with what this test itself looks through


def test_a_text_that_costs_too_much_is_shown_as_it_was_typed() -> None:
    text = "<b>first</b>\n" + "[" * 100_000
    reading = read(text)
    told = f'<p class="notice">{TOO_COSTLY}</p>\n<pre class="unrendered" tabindex="0">\n'
    assert reading.html.startswith(f"{told}&lt;b&gt;first&lt;/b&gt;\n[[[")
    assert reading.html.count("[") == 100_000
    assert reading.contents == ()


def test_text_nested_beyond_the_limit_is_not_dropped() -> None:
    assert "deepest" in render("> " * 200 + "deepest")


def test_a_long_manuscript_is_rendered_whole_and_in_time() -> None:
    page = (
        "## Chapter\n\n"
        + "The monks ruled the page with *lead*, then with a hard point; see [there](/). " * 20
        + "\n\n- a\n- b\n\n"
    )
    text = page * (500_000 // len(page))
    began = time.thread_time()
    reading = read(text)
    assert time.thread_time() - began < 1.0
    assert "unrendered" not in reading.html
    assert len(reading.contents) == 500_000 // len(page)


def test_an_excerpt_is_plain_words_cut_between_them() -> None:
    text = "# Title\n\nThe *quick* [brown](/x) fox & `code` jumps.\n\n- item\n\n" + "More words follow here. " * 50
    cut = excerpt(text, 60)
    assert cut.startswith("The quick brown fox & code jumps. More words")
    assert cut.endswith("…")
    assert len(cut) <= 60
    assert excerpt("Short.") == "Short."
    assert excerpt("- only\n- lists") == "only lists"
    assert excerpt("") == ""
    assert len(excerpt("字" * 5000, 100)) == 100
    assert "\u202e" not in excerpt("a\u202eb")
