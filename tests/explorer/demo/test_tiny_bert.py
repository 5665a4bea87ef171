"""Is the shipped model a usable BERT that has learned something, and its tokenizer one that loses nothing?"""

from __future__ import annotations

import random

import pytest

from explorer.demo import texts
from explorer.demo.run import tiny_bert

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(tiny_bert())


def test_it_is_small():
    files = {p.name: p.stat().st_size for p in tiny_bert().iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(files)
    assert sum(files.values()) < 4e6


def test_every_encoder_weight_is_in_the_file():
    _, report = transformers.AutoModel.from_pretrained(tiny_bert(), output_loading_info=True)
    assert {k for k in report["missing_keys"] if not k.startswith("pooler.")} == set()
    assert not report["mismatched_keys"]


def test_text_survives_the_tokenizer(tokenizer):
    for s in texts.tagged(11, 200):
        ids = tokenizer(s.text)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True).replace(" .", ".").replace(" ,", ",") == s.text.lower()


def test_rare_words_are_made_of_sub_words(tokenizer):
    """Else nothing would test the alignment of words and tokens."""
    assert len(tokenizer) < 1500
    words = {w.lower() for s in texts.tagged(12, 500) for w in s.words}
    pieces = [len(tokenizer.tokenize(w)) for w in words]
    assert 0.1 < sum(n > 1 for n in pieces) / len(pieces) < 0.9


def test_it_guesses_masked_words_of_fresh_text_far_better_than_chance(tokenizer):
    trained = transformers.BertForMaskedLM.from_pretrained(tiny_bert()).eval()
    torch.manual_seed(0)
    fresh = transformers.BertForMaskedLM(trained.config).eval()
    rng = random.Random(0)
    losses = {"trained": 0.0, "fresh": 0.0, "shuffled": 0.0}
    lines = texts.corpus(99, 60)
    for line in lines:
        ids = tokenizer(line)["input_ids"]
        place = rng.randrange(1, len(ids) - 1)
        masked = torch.tensor([ids])
        masked[0, place] = tokenizer.mask_token_id
        order = [0, *rng.sample(range(1, len(ids) - 1), len(ids) - 2), len(ids) - 1]
        for name, model, inputs, at in (
            ("trained", trained, masked, place),
            ("fresh", fresh, masked, place),
            ("shuffled", trained, masked[:, order], order.index(place)),
        ):
            with torch.no_grad():
                logits = model(inputs).logits[0, at]
            losses[name] += float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[place]))) / len(lines)
    assert losses["fresh"] > 6  # log of the vocabulary is 6.5
    assert losses["trained"] < 3.5
    assert losses["trained"] < losses["shuffled"] - 0.5  # it uses the order of the words, not only which there are
