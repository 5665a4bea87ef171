"""The arrays of a store for notebooks and scripts: hidden states, attentions, logits, probes, texts and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.selection import Selection
from explorer.selection.question import ask_store
from store.errors import BertdynError
from store.keys import Annotation, CheckpointKey, Corpus
from store.ragged import pair_offsets

if TYPE_CHECKING:
    import numpy as np

    from store.outputs import Classes
    from store.store import Store


class StoredArrays:
    """What a store holds of each checkpoint and corpus, as arrays."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def hidden(
        self, task: str, *, seed: object = None, step: int | None = None, layer: int | None = None, corpus: str = ""
    ) -> np.ndarray:
        """Return hidden states [tokens, width] of a layer, in the stored dtype; layer 0 is the embedding output.

        Without ``layer``, return the hidden states of all layers [layers + 1, tokens, width].

        >>> runs.hidden("pretrained").shape
        (7, 238, 16)

        Raises:
            BertdynError: the checkpoint or the layer does not exist, or several checkpoints fit.
        """
        corpus, key = self._checkpoint(task, seed, step, corpus)
        if layer is not None:
            return self.store.hidden(corpus, key, layer)
        import numpy as np

        many = self.store.checkpoint(corpus, key).layers + 1
        return np.stack([self.store.hidden(corpus, key, each) for each in range(many)])

    def attention(
        self,
        task: str,
        *,
        seed: object = None,
        step: int | None = None,
        layer: int,
        example: int | None = None,
        corpus: str = "",
    ) -> Any:
        """Return the attentions of a layer, in the stored dtype: a list of arrays [heads, l, l], one per example.

        Layers are counted from 1. With ``example``, counted from 0, return the array of that example alone.

        >>> len(runs.attention("sst2", seed=1, step=80, layer=2))
        40
        >>> runs.attention("sst2", seed=1, step=80, layer=2, example=7).shape
        (2, 3, 3)

        Raises:
            BertdynError: the checkpoint, the layer or the example does not exist, several checkpoints fit, or no
                attentions were extracted.
        """
        import numpy as np

        corpus, key = self._checkpoint(task, seed, step, corpus)
        offsets = self.store.corpus(corpus).offsets
        if example is not None and not 0 <= example < len(offsets) - 1:
            raise BertdynError(f"Corpus '{corpus}' has examples 0 to {len(offsets) - 2:,}, but no {example}.")
        first, last = (0, len(offsets) - 1) if example is None else (example, example + 1)
        there = pair_offsets(offsets)[first : last + 1].tolist()
        heads = range(1, self.store.checkpoint(corpus, key).heads + 1)
        packed = np.stack([self.store.attention(corpus, key, layer, head, there[0], there[-1]) for head in heads])
        lengths = np.diff(offsets[first : last + 1]).tolist()
        maps = np.split(packed, [end - there[0] for end in there[1:-1]], axis=1)
        found = [each.reshape(len(heads), n, n) for each, n in zip(maps, lengths, strict=True)]
        return found if example is None else found[0]

    def logits(self, task: str, *, seed: object = None, step: int | None = None, corpus: str = "") -> np.ndarray:
        """Return logits float32 [examples or tokens, classes] of the checkpoint's own classifier.

        Raises:
            BertdynError: the checkpoint does not exist or has no logits, or several checkpoints fit.
        """
        return self.store.logits(*self._checkpoint(task, seed, step, corpus))[0]

    def classes(self, task: str, *, seed: object = None, step: int | None = None, corpus: str = "") -> Classes:
        """Return the classes that the columns of ``logits`` belong to.

        Raises:
            BertdynError: as for ``logits``.
        """
        return self.store.logits(*self._checkpoint(task, seed, step, corpus))[1]

    def probe(
        self,
        task: str,
        *,
        seed: object = None,
        step: int | None = None,
        layer: int,
        annotation: str = "",
        corpus: str = "",
        measure: str = "probe",
        **parameters: Any,
    ) -> Any:
        """Return the fitted probes of a layer, which apply to new vectors.

        A ``probe`` has ``predict(vectors)`` and ``probabilities(vectors)``; an ``edge-probe`` has both too, of hidden
        states and spans of tokens; a ``structural-probe`` has ``distances(vectors)`` and ``depths(vectors)`` of the
        words of a sentence. ``help`` of what is returned tells more.

        >>> runs.compute("probe", task="sst2", seed=1, step=80, annotation="label", keep=True) and None
        >>> probe = runs.probe("sst2", seed=1, step=80, layer=6, annotation="label")
        >>> probe.labels
        ('negative', 'positive')
        >>> probe.probabilities(runs.hidden("sst2", seed=1, step=80, layer=6)[:5]).shape
        (5, 2)

        Args:
            annotation: name of the labels; may be left out if only one annotation fits.
            measure: name of the measure that kept the probes.
            parameters: parameters of the measure, such as ``model`` and ``erase``.

        Raises:
            BertdynError: the checkpoint does not exist, several fit, or its probes were not kept.
        """
        from explorer.answers.kept_probes import kept_at

        corpus, key = self._checkpoint(task, seed, step, corpus)
        chosen = Selection(measure, corpus, annotation=annotation, parameters=tuple(parameters.items()))
        return kept_at(self.store, ask_store(self.store, chosen), key, layer)

    def corpus(self, name: str = "") -> Corpus:
        """Return a corpus: its texts, their tokens, and the example that each token belongs to.

        >>> runs.corpus("dev").texts[7]
        ('sentence 7',)

        Raises:
            BertdynError: there is no corpus with that name, or no name is given and the store has several.
        """
        return self.store.corpus(name or self._only_corpus())

    def annotation(self, name: str = "", *, corpus: str = "") -> Annotation:
        """Return an annotation: labels of a corpus.

        >>> runs.annotation("label", corpus="dev").names
        ('negative', 'positive')

        Raises:
            BertdynError: there is no annotation with that name, or no name is given and the corpus has several.
        """
        found = self.corpus(corpus)
        there = [one.name for one in found.info.annotations]
        fits = [one for one in there if name in ("", one)]
        if len(fits) != 1:
            raise BertdynError(f"Which annotation of corpus '{found.info.name}'? It has {', '.join(there) or 'none'}.")
        return found.annotations[fits[0]]

    def artefact(self, name: str) -> dict[str, np.ndarray]:
        """Return the arrays that belong to a row of results, by name.

        Args:
            name: content of the row's column ``artefact``.

        Raises:
            BertdynError: there is no artefact with that name, or it is damaged.
        """
        return self.store.artefact(name)

    def _only_corpus(self) -> str:
        there = [info.name for info in self.store.corpora()]
        if len(there) != 1:
            raise BertdynError(f"Which corpus? The store has {', '.join(there) or 'none yet'}.")
        return there[0]

    def _checkpoint(self, task: str, seed: object, step: int | None, corpus: str) -> tuple[str, CheckpointKey]:
        """Return the corpus and the only checkpoint that fits.

        Raises:
            BertdynError: no checkpoint fits, or several do.
        """
        corpus = corpus or self._only_corpus()
        keys = [c.key for c in self.store.checkpoints(corpus)]
        of_task = [key for key in keys if key.recipe == task]
        if not of_task:
            there = dict.fromkeys(key.recipe for key in keys)
            raise BertdynError(
                f"The store has no task '{task}' on corpus '{corpus}', only {', '.join(there) or 'none'}."
            )
        found = [
            key for key in of_task if (seed is None or key.seed == str(seed)) and (step is None or key.step == step)
        ]
        if len(found) == 1:
            return corpus, found[0]
        seeds = ", ".join(dict.fromkeys(key.seed for key in of_task))
        steps = ", ".join(str(number) for number in sorted({key.step for key in of_task}))
        raise BertdynError(
            f"Which checkpoint of '{task}' on corpus '{corpus}'? It has seeds {seeds} and steps {steps}."
        )
