"""Lets the scripts of this folder import `avseg_core` from the checkout they are in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
