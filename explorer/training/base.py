"""The pre-trained model that runs start from. transformers and torch are imported when it is loaded."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from explorer.training.examples import Level
from explorer.training.settings import Pooler
from store.errors import BertdynError
from store.models.config import ModelConfig, read_config
from store.models.files import names_in, weight_files
from store.models.load import look
from store.models.names import POOLER, Place, places
from store.models.quiet import first_line, quiet

_AUTO = {"sentence": "AutoModelForSequenceClassification", "word": "AutoModelForTokenClassification"}


@dataclass(frozen=True)
class Base:
    """A pre-trained encoder in a local folder, with a new classifier."""

    folder: Path
    level: Level
    classes: tuple[str, ...]
    """Names of the classifier's classes, in its order."""

    @cached_property
    def config(self) -> ModelConfig:
        """Its configuration."""
        return read_config(self.folder)

    @property
    def layers(self) -> int:
        """Number of its layers."""
        return self.config.geometry.layers

    @cached_property
    def bytes(self) -> int:
        """Size of its files of weights."""
        return sum(path.stat().st_size for path in weight_files(self.folder))

    def check(self) -> None:
        """Refuse a model that cannot be fine-tuned by layers.

        Raises:
            BertdynError: it cannot be loaded, is an adapter, or its layers share their weights.
        """
        if look(self.folder).adapter is not None:
            raise BertdynError(f"{self.folder} is an adapter, not a whole model: runs start from a whole model.")
        if any(place.group for place in places(self.config.skeleton().weights).values()):
            raise BertdynError(f"{self.folder}: its layers share their weights, so that a layer alone means nothing.")

    def load(self, layers: int | None = None) -> Any:
        """Return the pre-trained model with a new classifier, with all layers or the bottom ones.

        The classifier, and a pooler that the files lack, are drawn by torch's global generator. A classifier in the
        files is not used: its classes may be others, or in another order.

        Raises:
            BertdynError: transformers cannot load it.
        """
        import torch

        try:
            with quiet():
                model = self._auto.from_pretrained(
                    str(self.folder),
                    config=self._parsed(layers),
                    dtype=torch.float32,
                    local_files_only=True,
                    trust_remote_code=False,
                    ignore_mismatched_sizes=True,  # of a classifier with other classes
                )
                written = self._classifier(model).intersection(names_in(weight_files(self.folder)))
                if written:
                    copy_weights(model, self.fresh(layers), sorted(written))
                return model
        except Exception as error:  # any error of torch or transformers: the files are at fault
            raise BertdynError(f"{self.folder} cannot be loaded: {first_line(error)}") from None

    @staticmethod
    def _classifier(model: Any) -> set[str]:
        """Return the names of the weights outside the encoder."""
        return {name for name, _ in model.named_parameters() if not name.startswith(f"{model.base_model_prefix}.")}

    def fresh(self, layers: int | None = None) -> Any:
        """Return such a model as its own initialiser makes it, drawn by torch's global generator."""
        with quiet():
            return self._auto.from_config(self._parsed(layers), trust_remote_code=False)

    def pooler(self, wanted: Pooler) -> Literal["kept", "fresh", "none"]:
        """Return what pooler a model has if one is wanted: none if its classifier takes none, fresh if no file has one.

        A classifier of words takes none, nor do those of encoders whose classifier has a dense layer of its own.
        """
        import torch

        with torch.device("meta"):  # takes no memory
            model = self.fresh()
        if not any(name.split(".")[1] == POOLER for name in model.state_dict() if "." in name):
            return "none"
        written = names_in(weight_files(self.folder))
        return wanted if any(POOLER in name.split(".") for name in written) else "fresh"

    @property
    def _auto(self) -> Any:
        import transformers

        return getattr(transformers, _AUTO[self.level])

    def _parsed(self, layers: int | None) -> Any:
        parsed = copy.deepcopy(self.config.parsed)
        parsed.id2label = dict(enumerate(self.classes))
        parsed.label2id = {name: i for i, name in enumerate(self.classes)}
        if self.level == "sentence":
            parsed.problem_type = "single_label_classification"
        if layers is not None:
            parsed.num_hidden_layers = layers
        return parsed


def placed(model: Any) -> dict[str, Place]:
    """Return the place of each weight of a model with a classifier, by its name there."""
    return places([name for name, _ in model.named_parameters()], f"{model.base_model_prefix}.")


def copy_weights(model: Any, other: Any, names: Sequence[str]) -> None:
    """Copy some weights of another model of the same shape into a model, by their names."""
    import torch

    ours, theirs = dict(model.named_parameters()), dict(other.named_parameters())
    with torch.no_grad():
        for name in names:
            ours[name].copy_(theirs[name])
