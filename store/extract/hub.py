"""Find the reference: a local folder, or a model that is downloaded from the hub into the local cache."""

from __future__ import annotations

import os
from pathlib import Path

from store.errors import BertdynError
from store.extract.tokens import TOKENIZER_FILES
from store.models.quiet import first_line, quiet

_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*.bin")
_SAFE = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")


def resolve(name: str) -> tuple[Path, str]:
    """Return a local folder with the model, and the name to show for it.

    A local folder is used without any network access; only another name is looked up on the hub.

    Raises:
        BertdynError: there is no such folder, the hub has no such model, or the hub cannot be reached.
    """
    folder = Path(os.path.expanduser(name))
    nowhere = f"--reference {name}: there is no folder of that name"
    if folder.is_dir():
        return folder.absolute(), str(folder.absolute())
    if folder.exists() or name.startswith((".", "/", "~")) or os.sep != "/" or name.count("/") > 1:
        raise BertdynError(f"{nowhere}.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        with quiet():
            wanted = ["config.json", *TOKENIZER_FILES]
            found = Path(snapshot_download(name, allow_patterns=[*wanted, *_SAFE]))
            if not any(found.glob("*.safetensors")):
                found = Path(snapshot_download(name, allow_patterns=[*wanted, *_PICKLES]))
    except HFValidationError:
        raise BertdynError(f"{nowhere}, and it is not a valid name of a model on the hub.") from None
    except LocalEntryNotFoundError:
        raise BertdynError(f"{nowhere}, and the hub cannot be reached for a model of that name.") from None
    except Exception as error:  # network, authorisation, no such repository: the client has a class for each
        raise BertdynError(f"{nowhere}, and it cannot be downloaded from the hub: {first_line(error)}") from None
    return found, name
