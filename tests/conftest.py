"""What all tests share: Qt without a screen, one thread, and no file of the user's is touched."""

import os
import sys

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a second thread costs tiny models more time than it saves


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Ends what a test before had torch do."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
