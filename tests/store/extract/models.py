"""Tiny encoders with random weights and tokenizers of few words, saved as the Trainer saves checkpoints."""

from __future__ import annotations

import copy
import functools
import json
import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.vocabularies import join, merges_of

SENTENCES = [
    "the cat sat on the mat",
    "a film that is never dull",
    "unbelievably long sentences about whatever the committee considered worth writing down at all",
    "no",
    "dogs chase cats , and cats chase mice",
    "what a waste of time !",
    "the mat is unbelievably dull",
]
LABELS = ["1", "1", "0", "0", "1", "0", "0"]


def wordpiece() -> Any:
    """A BERT tokenizer: [CLS] a [SEP] b [SEP], token types 0 and 1."""
    return copy.deepcopy(_wordpiece())


def byte_level(more: str = "") -> Any:
    """A RoBERTa tokenizer: byte-level BPE, which marks a word by the blank in front of it.

    Args:
        more: text that it is trained on a hundred times, beside the sentences.
    """
    return copy.deepcopy(_byte_level(more))


@functools.cache
def _wordpiece() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertTokenizerFast

    words = Counter((word[0], *(f"##{c}" for c in word[1:])) for text in SENTENCES for word in text.split())
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({piece for word in words for piece in word})]
    pieces += [join(pair, "##") for pair in merges_of(words, 90 - len(pieces), "##")]
    raw = Tokenizer(models.WordPiece(_numbered(pieces), unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return BertTokenizerFast(tokenizer_object=raw)


@functools.cache
def _byte_level(more: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = Counter(tuple(word) for text in SENTENCES for word, _ in split.pre_tokenize_str(text))
    words += Counter({tuple(word): 100 for word, _ in split.pre_tokenize_str(more)})
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    merges = merges_of(words, 320 - len(pieces))
    pieces += map(join, merges)
    raw = Tokenizer(models.BPE(_numbered(pieces), merges))
    raw.pre_tokenizer = split
    raw.decoder = decoders.ByteLevel()
    raw.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def sentence_pieces(kind: str) -> Any:
    """A tokenizer of SentencePiece's unigram model, of a class of transformers such as AlbertTokenizer.

    The published ones also have a table of characters, which turns those of zero width into nothing.
    """
    import transformers
    from tokenizers import normalizers

    special = {
        "AlbertTokenizer": ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        "XLMRobertaTokenizer": ("<s>", "<pad>", "</s>", "<unk>"),
        "DebertaV2Tokenizer": ("[PAD]", "[CLS]", "[SEP]", "[UNK]"),
    }[kind]
    made = getattr(transformers, kind)(vocab=[*((word, 0.0) for word in special), *_unigrams()])
    made.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    return made


@functools.cache
def _unigrams() -> list[tuple[str, float]]:
    words = Counter(tuple(f"▁{word}") for text in SENTENCES for word in text.split())
    pieces = sorted({piece for word in words for piece in word})
    pieces += map(join, merges_of(words, 80 - len(pieces)))
    return [(piece, -math.log(2 + i) / len(piece)) for piece, i in _numbered(pieces).items()]


def _numbered(pieces: Sequence[str]) -> dict[str, int]:
    """Pieces with their ids; a piece that was joined in two ways counts once."""
    return {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "bert": {"intermediate_size": 48, "type_vocab_size": 2, "pad_token_id": 0},
    "roberta": {"intermediate_size": 48, "type_vocab_size": 1, "pad_token_id": 1, "max_position_embeddings": 66},
    "distilbert": {"hidden_dim": 48, "pad_token_id": 0},
    "albert": {"intermediate_size": 48, "embedding_size": 16, "type_vocab_size": 2, "pad_token_id": 0},
    "electra": {"intermediate_size": 48, "embedding_size": 16, "pad_token_id": 0},
    "deberta-v2": {
        "intermediate_size": 48, "pad_token_id": 0, "relative_attention": True, "position_buckets": 8,
        "pos_att_type": ["p2c", "c2p"], "share_att_key": True, "norm_rel_ebd": "layer_norm",
        "position_biased_input": False,
    },
}  # fmt: skip


def save(
    folder: Path,
    kind: str = "bert",
    *,
    seed: int = 0,
    head: bool = True,
    task: str = "SequenceClassification",
    tokenizer: bool = True,
    **settings: Any,
) -> Path:
    """A checkpoint with random weights, dropout as in training, and its tokenizer; ``task`` is its class's, if any.

    It is made once and copied: most tests of checkpoints begin with the same few.
    """
    key = repr((kind, seed, head, task, tokenizer, sorted(settings.items())))
    if key not in _made:
        with tempfile.TemporaryDirectory() as place:
            _save(Path(place), kind, seed, head, task, tokenizer, settings)
            _made[key] = {file.name: file.read_bytes() for file in Path(place).iterdir()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _made[key].items():
        (folder / name).write_bytes(content)
    return folder


_made: dict[str, dict[str, bytes]] = {}
"""Files of checkpoints by how they were made."""


def _save(folder: Path, kind: str, seed: int, head: bool, task: str, tokenizer: bool, settings: dict[str, Any]) -> None:
    import torch
    import transformers
    from transformers import AutoConfig

    words = byte_level() if kind == "roberta" else wordpiece()
    sizes = {
        "vocab_size": len(words), "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
        "max_position_embeddings": 64, **CONFIGURATIONS[kind], **settings,
    }  # fmt: skip
    config = AutoConfig.for_model(kind, **sizes)
    torch.manual_seed(seed)
    model = getattr(transformers, f"AutoModelFor{task}" if head and task else "AutoModel").from_config(config)
    for name, parameter in model.named_parameters():  # as large as trained ones, so that maps are not uniform
        if parameter.dim() > 1 and "embeddings" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    if tokenizer:
        words.save_pretrained(folder)


def configure(folder: Path, **settings: Any) -> None:
    """Change settings in ``config.json``."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def reweigh(folder: Path, change: Any) -> None:
    """Write the weights again after ``change`` edited their dictionary."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def rename(folder: Path, prefix: str, strip: str = "") -> Path:
    """Put a prefix before the name of every weight, in the place of another one."""

    def change(tensors: Any) -> None:
        for name in list(tensors):
            tensors[prefix + name.removeprefix(strip)] = tensors.pop(name)

    reweigh(folder, change)
    return folder


def as_pickle(folder: Path) -> Path:
    """Turn the weights into a PyTorch file."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder / "pytorch_model.bin"


def trained(folder: Path, step: int, loss: float = 0.5) -> None:
    """What the Trainer leaves beside the weights."""
    log = [
        {"step": step, "epoch": step / 10, "loss": loss, "learning_rate": 1e-4},
        {"step": step, "epoch": step / 10, "eval_accuracy": 0.75, "eval_loss": 0.6, "eval_runtime": 2.5},
    ]
    state = {"global_step": step, "epoch": step / 10, "log_history": log}
    (folder / "trainer_state.json").write_text(json.dumps(state))


def runs(folder: Path, steps: tuple[int, ...] = (0, 10), seeds: tuple[str, ...] = ("1",)) -> Path:
    """Checkpoints sst/seed-N/checkpoint-STEP."""
    for seed in seeds:
        for step in steps:
            place = save(folder / "sst" / f"seed-{seed}" / f"checkpoint-{step}", seed=step + 100 * int(seed))
            if step:
                trained(place, step)
    return folder


def corpus_file(folder: Path, name: str = "dev.tsv") -> Path:
    """Sentences and labels, tab-separated, without a header."""
    path = folder / name
    path.write_text("".join(f"{s}\t{label}\n" for s, label in zip(SENTENCES, LABELS, strict=True)))
    return path
