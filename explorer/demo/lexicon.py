"""The lexicon of the generated language: six scenes, with many words that are both noun and verb. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

Verb = tuple[str, str, str]
"""Base form, third person, past."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def plural(noun: str) -> str:
    """Return the plural of a noun of this lexicon, or the third person of a verb."""
    if noun.endswith(("s", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _regular(text: str) -> tuple[Verb, ...]:
    return tuple((v, plural(v), v + ("d" if v.endswith("e") else "ed")) for v in text.split())


@dataclass(frozen=True)
class Scene:
    """Words that go together: people, things, places, verbs and adjectives."""

    name: str
    people: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]
    verbs: tuple[Verb, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    plain: tuple[str, ...]


SCENES = (
    Scene(
        "kitchen",
        _words("cook waiter guest baker farmer"),
        _words("soup dish meal cake sauce stew salad drink roast snack"),
        _words("kitchen table market oven bar"),
        (*_regular("cook taste roast serve order"), ("bring", "brings", "brought")),
        _words("delicious fresh tasty crisp tender"),
        _words("bitter burnt stale greasy sour"),
        _words("hot cold warm sweet spicy"),
    ),
    Scene(
        "theatre",
        _words("actor singer dancer judge critic"),
        _words("play film dance song show scene act record plot concert"),
        _words("stage hall theatre studio balcony"),
        (*_regular("play film dance judge watch record"), ("sing", "sings", "sang")),
        _words("moving funny clever gripping brilliant"),
        _words("boring silly clumsy dull noisy"),
        _words("long short quiet modern late"),
    ),
    Scene(
        "travel",
        _words("guide pilot driver guard tourist"),
        _words("visit map trip tour ride bus train walk ticket view"),
        _words("station harbour border hotel bridge"),
        (*_regular("guide visit tour guard walk pilot"), ("drive", "drives", "drove")),
        _words("safe scenic smooth pleasant cheap"),
        _words("dangerous crowded dirty tiring costly"),
        _words("steep narrow distant northern early"),
    ),
    Scene(
        "garden",
        _words("gardener neighbour painter builder owner"),
        _words("plant rose water tree paint hedge lawn wall dig fence"),
        _words("garden field yard park greenhouse"),
        (*_regular("plant water paint fence pick wall"), ("grow", "grows", "grew")),
        _words("lovely healthy bright fragrant splendid"),
        _words("ugly sick withered muddy broken"),
        _words("green tall wet round yellow"),
    ),
    Scene(
        "school",
        _words("teacher student clerk writer coach"),
        _words("test question plan report answer book study lesson note letter"),
        _words("school office library classroom desk"),
        (*_regular("test question report answer note"), ("plan", "plans", "planned"), ("teach", "teaches", "taught")),
        _words("useful clear helpful wise inspiring"),
        _words("confusing useless unfair wrong shallow"),
        _words("written weekly formal brief final"),
    ),
    Scene(
        "sport",
        _words("player runner keeper captain fan"),
        _words("match race kick score team ball cheer goal pass season"),
        _words("stadium pitch court track gym"),
        (*_regular("kick race score pass cheer coach"), ("win", "wins", "won")),
        _words("thrilling fair skilful strong impressive"),
        _words("weak careless sloppy brutal lazy"),
        _words("local yearly national fast young"),
    ),
)

GOOD = _words("good great excellent wonderful perfect nice superb fine")
BAD = _words("bad awful terrible horrible poor nasty dreadful disappointing")
PLAIN = _words("new old small big other first second red blue little")
GLAD = _words("luckily happily fortunately gladly")
SAD = _words("sadly unfortunately unhappily alas")
LIKE: tuple[Verb, ...] = (*_regular("like love enjoy praise admire"), ("adore", "adores", "adored"))
DISLIKE: tuple[Verb, ...] = (*_regular("dislike hate dread blame criticise"), ("regret", "regrets", "regretted"))
SAY: tuple[Verb, ...] = (*_regular("ask wonder doubt"), ("know", "knows", "knew"))
GO: tuple[Verb, ...] = (*_regular("wait rest arrive work"), ("sit", "sits", "sat"), ("stand", "stands", "stood"))
WHEN = _words("today yesterday often sometimes again soon")
HOW = _words("slowly quickly quietly carefully together")
DEGREE = _words("very really quite so truly")
BARELY = _words("hardly never")
IN = _words("in near behind at from")
OF = _words("of with beside for")
ONE = _words("the the this a every")
MANY = _words("the the these some all")
SYLLABLES = _words("ba ri ton mel da ku lo ven sa tor min el ra go fi nu")
