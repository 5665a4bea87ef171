"""What no checkpoint can be probed for is bad input: exit code 2 and one sentence, whichever probe is asked."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.cli import main
from store.corpora.annotations import make_annotation
from store.keys import NO_HEAD
from store.store import Store
from tests.synthetic import make_store, sample_corpus

pytestmark = pytest.mark.usefixtures("computed_here")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two checkpoints on a corpus with labels, and on the same texts split without test."""
    corpora = [sample_corpus(name, kind="word", labels=("a", "b")) for name in ("dev", "parts")]
    path = tmp_path_factory.mktemp("unprobeable") / "s.bertdyn"
    made = make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 40), pretrained=False, corpora=corpora)
    info = made.corpus("dev").info
    words = np.arange(info.words)
    single = np.zeros(info.words, np.int64)
    trees = np.full(info.words, NO_HEAD)
    spans = np.stack([words, words], axis=1)
    for corpus in ("dev", "parts"):
        made.annotate(corpus, make_annotation("one", "word", "class", ("a",), single))
        made.annotate(corpus, make_annotation("none", "word", "class", ("a", "b"), single - 1))
        made.annotate(corpus, make_annotation("heads", "word", "tree", (), trees))
        made.annotate(corpus, make_annotation("spans", "span", "class", ("a", "b"), words % 2, spans))
    dev = np.arange(info.examples) % 2
    made.annotate("parts", make_annotation("split", "sentence", "split", ("train", "dev"), dev))
    return made


@pytest.mark.parametrize(
    ("measure", "corpus", "labels", "said"),
    [
        ("probe", "dev", "one", "All training points have the same label"),
        ("probe", "dev", "none", "no labelled points in train"),
        ("probe", "parts", "label", "no labelled points in test"),
        ("mdl", "dev", "one", "All points have the same label"),
        ("mdl", "dev", "none", "No point has a label"),
        ("structural-probe", "dev", "heads", "No sentence of train has a whole tree"),
        ("structural-probe", "dev", "label", "has classes of words"),
        ("edge-probe", "dev", "one", "All training points have the same label"),
        ("edge-probe", "dev", "none", "no labelled points in train"),
        ("edge-probe", "dev", "heads", "has the heads of words"),
        ("edge-probe", "parts", "spans", "no labelled points in test"),
    ],
)
def test_labels_that_cannot_be_probed_end_with_a_sentence(
    store: Store, measure: str, corpus: str, labels: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compute", measure, str(store.path), "--corpus", corpus, "--annotation", labels]
    with pytest.raises(SystemExit) as end:
        main([*arguments, *(["--upos", ""] if measure == "structural-probe" else [])])
    out, errors = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    (complaint,) = (line for line in errors.splitlines() if line.startswith("bertdyn: "))
    assert said in complaint
    assert "Traceback" not in errors
