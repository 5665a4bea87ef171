"""Generate sentences of a small English-like language by a grammar. Pure: the same seed gives the same text.

A model can learn from it that a verb agrees with its subject across a distractor ("the map near the bridges is"), that
words of a scene go together (cooks taste soups), that "and" and "because" join opinions that agree and "but" opinions
that do not, and that many words are sometimes nouns and sometimes verbs.

There are two tasks. In ``topic``, a sentence is about the scene of its main clause; many sentences also have a
subordinate clause about another scene, so that single words do not decide ("although the soup was cold, the singers
danced": theatre). In ``tags``, each word has its part of speech (universal tag names).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from explorer.demo import lexicon
from explorer.demo.lexicon import SCENES, Scene, Verb, plural

TOPICS = tuple(scene.name for scene in SCENES)
TAGS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB")

Part = list[tuple[str, str]]
"""Words with their tags."""


@dataclass(frozen=True)
class Sentence:
    """One sentence: its words, a tag for each word, and the scene it is about."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    topic: str

    @property
    def text(self) -> str:
        """The written sentence, without blanks before commas and the full stop."""
        return " ".join(self.words).replace(" ,", ",").replace(" .", ".")


def topic(seed: int, n: int, avoid: Iterable[Sentence] = ()) -> list[Sentence]:
    """Return n different sentences with balanced topics, in random order, without those in ``avoid``."""
    rng = Random(f"topic {seed}")
    scenes = [SCENES[i % len(SCENES)] for i in range(n)]
    rng.shuffle(scenes)
    return _distinct((partial(_topical, rng, scene) for scene in scenes), avoid)


def tagged(seed: int, n: int, avoid: Iterable[Sentence] = ()) -> list[Sentence]:
    """Return n different sentences of all kinds, for the task of tagging words, without those in ``avoid``."""
    rng = Random(f"tags {seed}")
    return _distinct((lambda: _sentence(rng, rng.choice(SCENES), _sign(rng)) for _ in range(n)), avoid)


def corpus(seed: int, n: int) -> list[str]:
    """Return n lines of text for pre-training: one sentence, or two or three about one scene with one opinion."""
    rng = Random(f"corpus {seed}")
    lines = []
    for _ in range(n):
        scene, sign = rng.choice(SCENES), rng.choice((-1, -1, 0, 1, 1))
        lines.append(" ".join(_sentence(rng, scene, sign).text for _ in range(rng.choice((1, 2, 2, 3)))))
    return lines


def to_tsv(sentences: Sequence[Sentence]) -> str:
    """Return lines of sentence, tab and topic, without a header."""
    return "".join(f"{s.text}\t{s.topic}\n" for s in sentences)


def to_conllu(sentences: Sequence[Sentence]) -> str:
    """Return CoNLL-U with forms and universal part-of-speech tags; the other columns are empty."""
    blocks = []
    for number, s in enumerate(sentences, 1):
        head = f"# sent_id = {number}\n# text = {s.text}\n"
        rows = (f"{i}\t{w}\t_\t{t}" + "\t_" * 6 for i, (w, t) in enumerate(zip(s.words, s.tags, strict=True), 1))
        blocks.append(head + "\n".join(rows) + "\n\n")
    return "".join(blocks)


def _distinct(makers: Iterable[Callable[[], Sentence]], avoid: Iterable[Sentence]) -> list[Sentence]:
    seen = {s.words for s in avoid}
    made = []
    for maker in makers:
        sentence = maker()
        while sentence.words in seen:
            sentence = maker()
        seen.add(sentence.words)
        made.append(sentence)
    return made


# Sentences; sign is the opinion: -1, 0 or 1


def _sentence(rng: Random, scene: Scene, sign: int) -> Sentence:
    return _finished(_opinionated(rng, scene, sign) if sign else _neutral(rng, scene), scene)


def _topical(rng: Random, scene: Scene) -> Sentence:
    main = _clause(rng, scene)
    if rng.random() < 0.5:
        return _finished(main, scene)
    joint = (rng.choice(("although", "while", "because", "before")), "SCONJ")
    other = _clause(rng, rng.choice([s for s in SCENES if s is not scene]))
    if rng.random() < 0.5:
        return _finished([joint, *other, (",", "PUNCT"), *main], scene)
    return _finished([*main, joint, *other], scene)


def _finished(part: Part, scene: Scene) -> Sentence:
    first, *rest = part
    part = [(first[0][0].upper() + first[0][1:], first[1]), *rest, (".", "PUNCT")]
    return Sentence(tuple(w for w, _ in part), tuple(t for _, t in part), scene.name)


def _neutral(rng: Random, scene: Scene) -> Part:
    kind = rng.random()
    if kind < 0.4:
        return _event(rng, scene)
    if kind < 0.6:
        joint = rng.choice((("and", "CCONJ"), ("while", "SCONJ"), ("before", "SCONJ")))
        return [*_event(rng, scene), joint, *_event(rng, scene)]
    subject, number = _person(rng, scene)
    asked = _finite(rng, rng.choice(lexicon.SAY), number, past=0.7)
    return [*subject, asked, ("whether", "SCONJ"), *_opinion(rng, scene, rng.choice((-1, 1)))]


def _opinionated(rng: Random, scene: Scene, sign: int) -> Part:
    """Return a sentence whose main clause expresses the opinion."""
    main = _opinion(rng, scene, sign)
    kind = rng.random()
    if kind < 0.15:
        return [(rng.choice(lexicon.GLAD if sign > 0 else lexicon.SAD), "ADV"), (",", "PUNCT"), *main]
    if kind < 0.3:
        return main
    if kind < 0.45:
        return [*_event(rng, scene), ("and", "CCONJ"), *main]
    if kind < 0.8:
        joint = rng.choice((("because", "SCONJ"), ("and", "CCONJ")))
        return [*main, joint, *_opinion(rng, scene, sign)]
    other = _opinion(rng, scene, -sign)
    if kind < 0.87:
        return [*other, ("but", "CCONJ"), *main]
    if kind < 0.93:
        return [("although", "SCONJ"), *other, (",", "PUNCT"), *main]
    return [*main, ("although", "SCONJ"), *other]


# Clauses


def _clause(rng: Random, scene: Scene) -> Part:
    return _event(rng, scene) if rng.random() < 0.5 else _opinion(rng, scene, rng.choice((-1, 1)))


def _event(rng: Random, scene: Scene) -> Part:
    subject, number = _person(rng, scene)
    if rng.random() < 0.65:
        part = [*subject, *_verb(rng, rng.choice(scene.verbs), number), *_thing(rng, scene)[0]]
    else:
        part = [*subject, *_verb(rng, rng.choice(lexicon.GO), number), *_place(rng, scene)]
    if rng.random() < 0.25:
        part.append((rng.choice(lexicon.WHEN + lexicon.HOW), "ADV"))
    return part


def _opinion(rng: Random, scene: Scene, sign: int) -> Part:
    """Return a clause with the opinion ``sign``, sometimes by denying its opposite."""
    denied = rng.random() < 0.15
    said = -sign if denied else sign
    if rng.random() < 0.35:
        subject, number = _person(rng, scene)
        feeling = rng.choice(lexicon.LIKE if said > 0 else lexicon.DISLIKE)
        verb = _denied(rng, feeling, number) if denied else [_finite(rng, feeling, number)]
        return [*subject, *verb, *_thing(rng, scene)[0]]
    subject, number = _thing(rng, scene)
    quality = (rng.choice(_qualities(scene, said)), "ADJ")
    be = (rng.choice(("is", "was") if number == 1 else ("are", "were")), "AUX")
    if denied:
        denial = ("not", "PART") if rng.random() < 0.6 else (rng.choice(lexicon.BARELY), "ADV")
        return [*subject, be, denial, quality]
    part = [*subject, be]
    if rng.random() < 0.4:
        part.append((rng.choice(lexicon.DEGREE), "ADV"))
    part.append(quality)
    if rng.random() < 0.3:
        part += [("and", "CCONJ"), (rng.choice(_qualities(scene, said)), "ADJ")]
    return part


def _verb(rng: Random, verb: Verb, number: int) -> Part:
    kind = rng.random()
    if kind < 0.15:
        return _denied(rng, verb, number)
    if kind < 0.3:
        return [(rng.choice(("will", "can", "must")), "AUX"), (verb[0], "VERB")]
    return [_finite(rng, verb, number)]


def _denied(rng: Random, verb: Verb, number: int) -> Part:
    auxiliary = "did" if rng.random() < 0.5 else "does" if number == 1 else "do"
    return [(auxiliary, "AUX"), ("not", "PART"), (verb[0], "VERB")]


def _finite(rng: Random, verb: Verb, number: int, past: float = 0.4) -> tuple[str, str]:
    form = 2 if rng.random() < past else 1 if number == 1 else 0
    return verb[form], "VERB"


# Noun phrases: the words, and the grammatical number (1 or 2) that a verb agrees with


def _person(rng: Random, scene: Scene) -> tuple[Part, int]:
    kind = rng.random()
    if kind < 0.12:
        word = rng.choice(("he", "she", "they", "we"))
        return [(word, "PRON")], 1 if word in ("he", "she") else 2
    if kind < 0.22:
        name = "".join(rng.choice(lexicon.SYLLABLES) for _ in range(rng.choice((2, 2, 3))))
        return [(name.capitalize(), "PROPN")], 1
    return _phrase(rng, rng.choice(scene.people), scene, describe=0.25)


def _thing(rng: Random, scene: Scene) -> tuple[Part, int]:
    return _phrase(rng, rng.choice(scene.things), scene, describe=0.3)


def _place(rng: Random, scene: Scene) -> Part:
    return [(rng.choice(lexicon.IN), "ADP"), *_plain(rng, rng.choice(scene.places), _number(rng))]


def _phrase(rng: Random, noun: str, scene: Scene, describe: float) -> tuple[Part, int]:
    number = _number(rng)
    adjective = rng.choice(scene.plain + lexicon.PLAIN) if rng.random() < describe else ""
    part = _plain(rng, noun, number, adjective)
    if rng.random() < 0.2:
        other = rng.choice((*scene.things, *scene.people, *scene.places))
        part += [(rng.choice(lexicon.OF + lexicon.IN), "ADP"), *_plain(rng, other, _number(rng))]
    return part, number


def _plain(rng: Random, noun: str, number: int, adjective: str = "") -> Part:
    determiner = rng.choice(lexicon.ONE if number == 1 else lexicon.MANY)
    described: Part = [(adjective, "ADJ")] if adjective else []
    if determiner == "a" and (adjective or noun)[0] in "aeiou":
        determiner = "an"
    return [(determiner, "DET"), *described, (noun if number == 1 else plural(noun), "NOUN")]


def _qualities(scene: Scene, sign: int) -> tuple[str, ...]:
    return (*scene.good, *lexicon.GOOD) if sign > 0 else (*scene.bad, *lexicon.BAD)


def _number(rng: Random) -> int:
    return 1 if rng.random() < 0.6 else 2


def _sign(rng: Random) -> int:
    return rng.choice((-1, 0, 1))
