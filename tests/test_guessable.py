"""Passwords that guessers try first are told from those they do not, in any worker, without asking anybody."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.guessable import common, is_guessable
from app.passwords import MIN_LENGTH, objections
from tests.site import Site

SOME = sorted(word for word in common() if word.isalpha() and MIN_LENGTH > len(word) >= MIN_LENGTH // 2)[:500]


def test_what_is_in_the_list_is_refused_in_any_case() -> None:
    long = [word for word in common() if len(word) >= MIN_LENGTH]
    assert len(long) > 20
    assert all(is_guessable(word) and is_guessable(word.upper()) for word in long)


def test_a_favourite_made_longer_is_refused() -> None:
    assert len(SOME) == 500
    for word in SOME:
        for longer in (word * 2, f"{word}1234567890", f"1111{word}11111", f"{word.capitalize()}!123456789!"):
            assert is_guessable(longer), longer


@pytest.mark.parametrize(
    "walk",
    ["123456789012345", "98765432109876543", "qwertyuiopasdfghj", "abcdefghijklmnopq", "abcabcabcabcabca", "z" * 40],
)
def test_walks_and_repetitions_are_refused(walk: str) -> None:
    assert is_guessable(walk)


@pytest.mark.parametrize(
    "phrase",
    [
        "correct horse battery staple",
        "aaaaaaa bbbbbbbb",
        "soot, gum and water",
        "пароль из четырёх слов",
        "墨と紙と水についての長い話をする",
        "sponsor-password-123456",
    ],
)
def test_phrases_are_let_through(phrase: str) -> None:
    assert not is_guessable(phrase)


@given(st.text(max_size=1024))
def test_anything_is_judged_at_once(text: str) -> None:
    before = thread_time()
    is_guessable(text)
    # Two orders of magnitude above what it takes: an estimator needs seconds for some of these.
    assert thread_time() - before < 0.5


@pytest.mark.parametrize(
    "hostile", ["4@8({[<369&#!1|0$5+7%2x" * 44, "1" * 1022 + "a1", "a" + "1" * 1022 + "a", "ab" * 511 + "c"]
)
def test_strings_made_to_be_slow_are_judged_at_once(hostile: str) -> None:
    before = thread_time()
    is_guessable(hostile)
    assert thread_time() - before < 0.1


async def test_registering_with_one_says_so_beside_the_field_and_makes_nobody(site: Site) -> None:
    before = await site.counts()
    wish = {"email": "common@example.org", "display_name": "Connie", "password": "password" * 2, "role": "member"}
    answer = await site.program().post("/api/v1/people", wish)
    assert answer.status_code == 422
    assert "tried first" in answer.json()["errors"]["password"][0]
    assert await site.counts() == before


def test_it_is_said_once_and_only_when_nothing_else_is_wrong() -> None:
    asked = {"email": "a@example.org", "display_name": "A"}
    assert len(objections("password", **asked)) == 1
    assert "15 characters" in objections("password", **asked)[0]
    assert objections("soot, gum and water", **asked) == []
