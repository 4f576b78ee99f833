"""Data sets that several modules measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import avsbench_fixtures as make


@pytest.fixture(scope="session")
def avsbench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("avsbench")
    make.make_s4(root, {"train": 2, "test": 3}, size=64)
    make.make_ms3(root, {"test": 5}, size=64)
    make.make_avss(root, {"test": 3}, width=80, height=64)
    return root
