"""Load a checkpoint's own classifier: of sequences, of tokens, or of spans (question answering)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.models.config import ModelConfig
from store.models.load import Encoder
from store.models.quiet import quiet
from store.outputs import Classes, Classifier, Head, Problem

_HEADS: dict[str, Head] = {
    "ForSequenceClassification": "sequence",
    "ForTokenClassification": "token",
    "ForQuestionAnswering": "span",
}
"""Kind of classifier by the end of the trained class's name."""
_SPAN = ("start", "end")
_POOLER = "pooler."


@dataclass(frozen=True, eq=False)
class Classifying:
    """An encoder with its classifier: one forward pass gives hidden states, attentions and logits."""

    model: Any
    """The whole model in evaluation mode; it shares the encoder that was loaded before."""
    classifier: Classifier

    def logits(self, output: Any) -> Any:
        """Return the logits of a forward pass, [b, classes] or [b, longest, classes]."""
        import torch

        if self.classifier.classes.head == "span":
            return torch.stack((output.start_logits, output.end_logits), dim=-1)
        return output.logits


def classifying(encoder: Encoder, config: ModelConfig) -> Classifying | str:
    """Put a checkpoint's classifier on its encoder, or return the reason why it has none, to end a sentence.

    If the checkpoint's files lack weights of the classifier or of its pooler, it counts as having none: the weights
    would be random numbers.
    """
    import torch
    import transformers

    name = encoder.model_class
    head = next((head for end, head in _HEADS.items() if name.endswith(end)), None)
    if head is None:
        return f"{name} has no classifier of sequences, tokens or spans"
    auto = getattr(transformers, f"AutoModel{next(end for end in _HEADS if name.endswith(end))}")
    try:
        with quiet(), torch.device("meta"):  # takes no memory
            model = auto.from_config(copy.deepcopy(config.parsed), trust_remote_code=False)
    except Exception as error:  # any error of the model's class: the configuration is at fault
        return f"{name} cannot be built: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    pooled = getattr(model.base_model, "pooler", None) is not None
    absent = sorted(weight for weight in encoder.absent if weight.startswith(_POOLER))
    if pooled and absent:
        return f"the weights of its pooler are not in the file ({absent[0]})"
    setattr(model, model.base_model_prefix, encoder.model)
    own = {weight for weight in model.state_dict() if not weight.startswith(f"{model.base_model_prefix}.")}
    lacking = sorted(own - set(encoder.heads))
    if lacking:
        return f"the weights of its classifier are not in the file ({lacking[0]})"
    weights = {weight: encoder.heads[weight].float() for weight in sorted(own)}
    shapes = {weight: tuple(value.shape) for weight, value in model.state_dict().items() if weight in own}
    for weight, value in weights.items():
        if tuple(value.shape) != shapes[weight]:
            return f"{weight} has another shape in the file than in the configuration"
    model.load_state_dict(weights, strict=False, assign=True)
    model.to(encoder.device).eval()
    kept = {weight: value.numpy() for weight, value in weights.items()}
    if pooled:
        state = encoder.model.state_dict()
        kept |= {weight: _array(state[weight]) for weight in state if weight.startswith(_POOLER)}
    return Classifying(model, Classifier(_classes(head, config.parsed), kept))


def _classes(head: Head, parsed: Any) -> Classes:
    if head == "span":
        return Classes(head, _SPAN, "single_label_classification")
    names = getattr(parsed, "id2label", None) or {}
    labels = tuple(str(names[number]) for number in sorted(names, key=int))
    stated = getattr(parsed, "problem_type", None) if head == "sequence" else None
    problem: Problem = "regression" if len(labels) == 1 and head == "sequence" else "single_label_classification"
    if stated in ("single_label_classification", "multi_label_classification", "regression"):
        problem = stated
    return Classes(head, labels, problem)


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.float().cpu().numpy())
