"""Do requests and messages arrive as they were sent, and is anything else refused in words?"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from explorer.compute.protocol import (
    Failure,
    Outcome,
    Refused,
    Update,
    message_line,
    read_message,
)
from explorer.compute.requests import Annotate, Compute, Request, read_request, request_line
from explorer.measures import Uncertainty
from explorer.selection import Against, Ranges, Selection
from store.errors import BertdynError


@pytest.mark.parametrize(
    "request_",
    [
        Compute(Selection("svcca", "dev")),
        Annotate("dev", "名 前.tsv", label="a,b", limit=3, replace=True),
        Compute(
            Selection(
                "svcca",
                "名 前\n",
                tasks=("a/b", "sst2+freeze-6"),
                seeds=("1",),
                steps=Ranges.parse("0,20,100-", "steps"),
                layers=Ranges.parse("0-6", "layers"),
                against=Against.parse("a/b+freeze-6/1/20"),
                parameters=(("tokens", "all"), ("variance", 0.99)),
                ref_layers=Ranges.parse("0-", "ref_layers"),
                detail="query",
            ),
            workers=3,
            device="cuda:1",
            trust=Uncertainty(null=5, interval="bootstrap", level=0.9, resamples=100, seed=7),
        ),
    ],
)
def test_a_request_arrives_as_it_was_sent_on_one_line(request_: Request) -> None:
    line = request_line(request_)
    assert "\n" not in line
    assert read_request(line) == request_


def test_a_measure_is_enough() -> None:
    assert read_request('{"kind": "compute", "selection": {"measure": "js"}}') == Compute(Selection("js"))


BROKEN = [
    ("", "not JSON"),
    ("x", "not JSON"),
    ("[]", "A request is a JSON object whose 'kind' is one of compute, annotate"),
    ("3", "A request is a JSON object whose 'kind' is one of compute, annotate"),
    ("{}", "A request is a JSON object whose"),
    ('{"kind": "dance"}', "not \"{'kind': 'dance'}\""),
    ('{"kind": ["compute"]}', "A request is a JSON object whose"),
    ('{"kind": "compute"}', "Compute is not complete"),
    ('{"kind": "compute", "selection": 5}', "Selection must be a JSON object"),
    ('{"kind": "compute", "selection": {}}', "Selection is not complete"),
    ('{"kind": "compute", "selection": {"measure": 1}}', "'measure' of Selection cannot be read: 1"),
    ('{"kind": "compute", "selection": {"measure": "js", "tasks": [1]}}', "'tasks' of Selection cannot be read"),
    ('{"kind": "compute", "selection": {"measure": "js", "tasks": 5}}', "'tasks' of Selection cannot be read: 5"),
    ('{"kind": "compute", "selection": {"measure": "js", "steps": 20}}', "'steps' of Selection cannot be read: 20"),
    ('{"kind": "compute", "selection": {"measure": "js", "stepps": "20"}}', "Selection has no 'stepps'"),
    ('{"kind": "compute", "selection": {"measure": "js"}, "workers": "many"}', "'workers' of Compute cannot be read"),
    (
        '{"kind": "compute", "selection": {"measure": "js"}, "trust": {"null": "x"}}',
        "'null' of Uncertainty cannot be read",
    ),
]


@pytest.mark.parametrize(("line", "words"), BROKEN)
def test_a_broken_request_is_refused_in_words(line: str, words: str) -> None:
    with pytest.raises(BertdynError, match=words):
        read_request(line)


def test_an_unusable_range_says_which_field() -> None:
    with pytest.raises(BertdynError, match=r"'steps' of Selection cannot be read: 'x'.*neither a number nor a range"):
        read_request('{"kind": "compute", "selection": {"measure": "js", "steps": "x"}}')


@pytest.mark.parametrize(
    "message",
    [
        Update(3, 13, 26, "layer 3 of sst2/1/20"),
        Outcome(13, 26),
        Outcome(1, 0, (Failure("layer 3 of a/1/2", "too\nbad"),), ("a note",), cancelled=True),
        Refused("--corpus: the store has no 'x'."),
    ],
)
def test_a_message_arrives_as_it_was_sent_on_one_line(message: Update | Outcome | Refused) -> None:
    line = message_line(message)
    assert "\n" not in line
    assert json.loads(line)["kind"] == type(message).__name__.lower()
    assert read_message(line) == message


@pytest.mark.parametrize(
    "line", ["", '{"kind": "upda', "{}", '{"kind": "dance"}', '{"kind": "update"}', '{"kind": "outcome"}', "[1]"]
)
def test_half_a_line_is_refused_in_words(line: str) -> None:
    with pytest.raises(BertdynError, match="nobody understands"):
        read_message(line)


def test_the_explorer_can_use_it_without_loading_arrays() -> None:
    code = (
        "import sys, explorer.compute.requests, explorer.compute.job\n"
        "print(sorted({'numpy','zarr','duckdb','pyarrow','torch','transformers','loky','click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
