"""A stored layer as measures see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from store.keys import Checkpoint
    from store.store import Store


@dataclass(eq=False)
class StoredLayer:
    """One layer of one stored checkpoint (``explorer.measures.Layer``); nothing is read before it is asked for."""

    store: Store
    checkpoint: Checkpoint
    layer: int
    identity: str
    width: int
    heads: int
    hidden_chunk: int
    attention_chunk: int

    @classmethod
    def of(cls, store: Store, checkpoint: Checkpoint, layer: int) -> StoredLayer:
        """The layer (0 is the embedding output) of a checkpoint.

        The identity holds the corpus's name too: equal arrays under other special tokens or words are another side.
        """
        hidden_chunk, attention_chunk = store.chunks(checkpoint.corpus, checkpoint.key)
        return cls(
            store,
            checkpoint,
            layer,
            f"{layer}/{checkpoint.hidden_digest}/{checkpoint.attention_digest}/{checkpoint.corpus}",
            checkpoint.width,
            checkpoint.heads,
            hidden_chunk,
            attention_chunk,
        )

    def hidden(self, start: int, stop: int) -> np.ndarray:
        """Hidden states [stop - start, width] of tokens start..stop in the stored dtype."""
        return self.store.hidden(self.checkpoint.corpus, self.checkpoint.key, self.layer, start, stop)

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        """Packed attention entries start..stop [stop - start] of one head, counted from 1."""
        return self.store.attention(self.checkpoint.corpus, self.checkpoint.key, self.layer, head, start, stop)
