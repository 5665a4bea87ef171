"""Run an encoder over a corpus, cut the padding on both axes and return results in the file's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from store.errors import BertdynError
from store.extract.batches import Window, windows
from store.keys import Corpus
from store.memory import is_out_of_memory
from store.models.load import Encoder, check_fits
from store.models.precision import full_precision
from store.models.quiet import first_line
from store.ragged import pair_offsets

if TYPE_CHECKING:
    import torch

    from store.models.classifier import Classifying

BATCH_TOKENS = {"cpu": 1024, "cuda": 16384}
"""Padded tokens per batch: larger batches do not fit a CPU's caches, smaller ones leave a GPU idle."""
WINDOW_BYTES = {"cpu": 192 * 2**20, "cuda": 768 * 2**20}
"""Bytes of results held at once. This limits memory, but is large enough that sorting leaves little padding."""
FLOAT16_LIMIT = 65504.0
_ROW_SUM = 1e-3


def run(
    encoder: Encoder,
    corpus: Corpus,
    *,
    dtype: str = "float16",
    attentions: bool = True,
    classifying: Classifying | None = None,
    batch_tokens: int | None = None,
    window_bytes: int | None = None,
    done: Callable[[int], None] = lambda tokens: None,
    smaller: Callable[[int], None] = lambda tokens: None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]:
    """Yield hidden states, attentions and logits of the corpus, window by window, in the file's order.

    A batch that does not fit in memory is run again in halves, and later batches are not larger than a half.

    Args:
        encoder: from ``store.models.load.load``.
        corpus: E examples, T tokens.
        dtype: ``float16`` or ``float32``, the type of the results; the model computes in float32.
        attentions: whether to compute attentions.
        classifying: the encoder with its classifier; None for no logits.
        batch_tokens: maximum padded tokens of a batch; the default depends on the device.
        window_bytes: bytes of results held at once; the default depends on the device.
        done: called after each batch with its number of tokens.
        smaller: called with the new maximum of padded tokens when a batch did not fit in memory.

    Yields:
        hidden [layers + 1, t, width] (layer 0 = embedding output), attention [layers, heads, p] or None, and logits
        float32 [examples or t, classes] or None; t and p add up to the corpus's tokens and pairs. The caller owns the
        arrays.

    Raises:
        BertdynError: the model fails, its shape is not that of its configuration, its attention rows do not add up to
            1, its hidden states are too large for float16, or memory does not suffice for a single example.
    """
    import torch

    check_fits(encoder, corpus)
    kind = encoder.device.type
    itemsize = np.dtype(dtype).itemsize
    shape = encoder.geometry
    lengths = np.diff(corpus.offsets)
    sizes = lengths * (itemsize * (shape.layers + 1) * shape.width)
    if attentions:
        sizes = sizes + lengths**2 * (itemsize * shape.layers * shape.heads)
    limit = batch_tokens or BATCH_TOKENS.get(kind, BATCH_TOKENS["cpu"])
    checked = False
    for window in windows(lengths, sizes, limit, window_bytes or WINDOW_BYTES.get(kind, WINDOW_BYTES["cpu"])):
        results = _Results(encoder, corpus, window, getattr(torch, dtype), attentions, classifying)
        waiting = list(reversed(window.batches))
        while waiting:
            batch = waiting.pop()
            padded = len(batch) * int(lengths[batch].max())
            if len(batch) > 1 and padded > limit:
                waiting += reversed(np.array_split(batch, 2))
                continue
            try:
                _add_batch(results, encoder, corpus, batch, attentions, classifying, check=not checked)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise _too_large(encoder, corpus, padded, error) from None
                waiting.append(batch)
                limit = padded // 2
                smaller(limit)
                continue
            checked = True
            done(int(lengths[batch].sum()))
        yield results.arrays()


def _add_batch(
    results: _Results,
    encoder: Encoder,
    corpus: Corpus,
    batch: np.ndarray,
    attentions: bool,
    classifying: Classifying | None,
    check: bool,
) -> None:
    """Run a batch and add what it gives to the results; nothing of it is held when this returns."""
    import torch

    with torch.inference_mode(), full_precision():
        hidden, maps, logits = _forward(encoder, corpus, batch, attentions, classifying)
        if check:
            _check(encoder, corpus.offsets[batch + 1] - corpus.offsets[batch], hidden, maps)
        results.take(batch, hidden, maps, logits)


def _too_large(encoder: Encoder, corpus: Corpus, tokens: int, error: Exception) -> BertdynError:
    """Return the error of a single example for which memory does not suffice."""
    return BertdynError(
        f"{encoder.folder} on corpus '{corpus.info.name}': the memory of {encoder.device} does not suffice for one "
        f"example of {tokens} tokens ({first_line(error)}). Use a smaller --max-length, or another --device."
    )


class _Results:
    """Packed results of one window, filled batch by batch."""

    def __init__(
        self,
        encoder: Encoder,
        corpus: Corpus,
        window: Window,
        dtype: torch.dtype,
        attentions: bool,
        classifying: Classifying | None,
    ) -> None:
        import torch

        shape = encoder.geometry
        self._start = window.start
        self._where = f"{encoder.folder} on corpus '{corpus.info.name}'"
        self._tokens = corpus.offsets[window.start : window.stop + 1] - corpus.offsets[window.start]
        self._pairs = pair_offsets(self._tokens)
        self._narrow = dtype == torch.float16
        self._hidden = torch.empty(
            (shape.layers + 1, int(self._tokens[-1]), shape.width), dtype=dtype, device=encoder.device
        )
        self._maps = None
        if attentions:
            self._maps = torch.empty(
                (shape.layers, shape.heads, int(self._pairs[-1])), dtype=dtype, device=encoder.device
            )

        self._logits = None
        self._of_examples = False
        if classifying is not None:
            classes = classifying.classifier.classes
            self._of_examples = classes.examples
            rows = window.stop - window.start if classes.examples else int(self._tokens[-1])
            self._logits = torch.empty((rows, len(classes.labels)), dtype=torch.float32, device=encoder.device)

    def take(
        self,
        batch: np.ndarray,
        hidden: tuple[torch.Tensor, ...],
        maps: tuple[torch.Tensor, ...] | None,
        logits: torch.Tensor | None,
    ) -> None:
        """Cut the padding of hidden states [b, longest, width], maps [b, heads, longest, longest], one per layer,
        and of logits [b, classes] or [b, longest, classes]."""
        states = _stacked(hidden, self._hidden.dtype)
        if self._narrow:
            self._check_range(states, hidden, batch)
        for row, example in enumerate((batch - self._start).tolist()):
            start, stop = int(self._tokens[example]), int(self._tokens[example + 1])
            self._hidden[:, start:stop].copy_(states[:, row, : stop - start])
            if self._logits is not None and logits is not None:
                if self._of_examples:
                    self._logits[example].copy_(logits[row])
                else:
                    self._logits[start:stop].copy_(logits[row, : stop - start])
        if self._maps is None or maps is None:
            return
        stacked = _stacked(maps, self._maps.dtype)
        for row, example in enumerate((batch - self._start).tolist()):
            length = int(self._tokens[example + 1] - self._tokens[example])
            start, stop = int(self._pairs[example]), int(self._pairs[example + 1])
            target = self._maps[:, :, start:stop].unflatten(2, (length, length))
            target.copy_(stacked[:, row, :, :length, :length])

    def arrays(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return the results as NumPy arrays."""
        maps = None if self._maps is None else self._maps.cpu().numpy()
        return self._hidden.cpu().numpy(), maps, None if self._logits is None else self._logits.cpu().numpy()

    def _check_range(self, narrow: torch.Tensor, hidden: tuple[torch.Tensor, ...], batch: np.ndarray) -> None:
        import torch

        low, high = torch.aminmax(narrow)
        if max(-low.item(), high.item()) < FLOAT16_LIMIT:
            return
        states = torch.stack(hidden)
        for row, example in enumerate((batch - self._start).tolist()):
            own = states[:, row, : int(self._tokens[example + 1] - self._tokens[example])].abs().amax(dim=(1, 2))
            if torch.isfinite(own).all() and own.max().item() >= FLOAT16_LIMIT:
                layer = int(own.argmax())
                raise BertdynError(
                    f"{self._where}: the hidden states of layer {layer} reach {own[layer].item():.0f}, and float16 "
                    f"ends at {FLOAT16_LIMIT:.0f}; extract with --dtype float32."
                )


def _stacked(layers: tuple[torch.Tensor, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return all layers as one tensor of the stored dtype, [layers, *shape].

    Cutting out an example is then one copy instead of one per layer, and of half the bytes.
    """
    import torch

    stacked = torch.empty((len(layers), *layers[0].shape), dtype=dtype, device=layers[0].device)
    for place, layer in zip(stacked, layers, strict=True):
        place.copy_(layer)
    return stacked


def _forward(
    encoder: Encoder, corpus: Corpus, batch: np.ndarray, attentions: bool, classifying: Classifying | None
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...] | None, torch.Tensor | None]:
    inputs = inputs_of(encoder, corpus, batch)
    model = encoder.model if classifying is None else classifying.model
    try:
        output: Any = model(**inputs, output_hidden_states=True, output_attentions=attentions, return_dict=True)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise BertdynError(f"{encoder.folder} fails on corpus '{corpus.info.name}': {first_line(error)}") from None
    maps = tuple(output.attentions or ()) if attentions else None
    return tuple(output.hidden_states or ()), maps, None if classifying is None else classifying.logits(output)


def inputs_of(encoder: Encoder, corpus: Corpus, batch: np.ndarray) -> dict[str, torch.Tensor]:
    """Return token ids, mask and (if the model takes them) token types of some examples, [b, longest], int64."""
    import torch

    starts = corpus.offsets[batch]
    lengths = corpus.offsets[batch + 1] - starts
    place = np.arange(int(lengths.max()))
    mask = place < lengths[:, None]
    source = np.where(mask, starts[:, None] + place, 0)
    arrays = {
        "input_ids": np.where(mask, corpus.token_ids[source], encoder.pad),
        "attention_mask": mask,
        **({"token_type_ids": np.where(mask, corpus.token_types[source], 0)} if encoder.takes_types else {}),
    }
    return {name: torch.from_numpy(a.astype(np.int64)).to(encoder.device) for name, a in arrays.items()}


def _check(
    encoder: Encoder, lengths: np.ndarray, hidden: tuple[torch.Tensor, ...], maps: tuple[torch.Tensor, ...] | None
) -> None:
    """Check that the outputs have the shapes of the configuration and that attention rows add up to 1."""
    shape = encoder.geometry
    name = f"{type(encoder.model).__name__} in {encoder.folder}"
    count, longest = len(lengths), int(lengths.max())
    if encoder.model.training or any(module.training for module in encoder.model.modules()):
        raise BertdynError(f"{name} did not go into evaluation mode.")
    if [tuple(h.shape) for h in hidden] != [(count, longest, shape.width)] * (shape.layers + 1):
        raise BertdynError(
            f"{name} returns {len(hidden)} hidden states of shape {tuple(hidden[0].shape) if hidden else ()}, "
            f"but {shape} needs {shape.layers + 1} of {(count, longest, shape.width)}."
        )
    if maps is None:
        return
    if [tuple(m.shape) for m in maps] != [(count, shape.heads, longest, longest)] * shape.layers:
        raise BertdynError(
            f"{name} does not return one attention map per layer and head "
            f"({len(maps)} of shape {tuple(maps[0].shape) if maps else ()}); extract it with --no-attentions."
        )
    for row, length in enumerate(lengths.tolist()):
        for layer, m in enumerate(maps, 1):
            off = (m[row, :, :length, :length].sum(dim=-1) - 1).abs().max().item()
            if off > _ROW_SUM:  # NaN passes here: the writer reports its layer
                raise BertdynError(
                    f"{name}: attention rows of layer {layer} add up to 1 only within {off:.2g}: padding leaks, or "
                    "the attention is not a softmax."
                )
