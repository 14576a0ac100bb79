"""Runs every step against the server that the environment names; use clients/run."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from conduit import conduit
from equals_money import equals_money
from operator_api import operator
from step import check, step
from verify import SignatureError, verify_conduit, verify_equals_money


def outcome(verify: Callable[[], None]) -> str:
    """How a verification ends, in the words of the vectors."""
    try:
        verify()
    except SignatureError as error:
        return error.reason
    return "valid"


def check_vectors(path: Path) -> None:
    vectors = json.loads(path.read_text(encoding="utf-8"))
    for one in vectors["conduit"]:
        body = one["body"].encode()
        found = outcome(lambda: verify_conduit(one["secret"], one["signature"], one["timestamp"], body, one["now"]))
        check(found == one["expect"], f"{one['name']}: {found}")
    for one in vectors["equals-money"]:
        body = one["body"].encode()
        found = outcome(lambda: verify_equals_money(one["secret"], one["signature"], body))
        check(found == one["expect"], f"{one['name']}: {found}")


if __name__ == "__main__":
    with step("verify: every test vector"):
        check_vectors(Path(os.environ["VECTORS"]))
    conduit(os.environ["SERVER"])
    equals_money(os.environ["SERVER"], os.environ["LIMITED_SERVER"])
    operator(os.environ["SERVER"])
