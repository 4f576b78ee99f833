"""The explanation of every setting, read from the strings below the fields of the configuration classes."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from itertools import pairwise
from typing import Any


@cache
def explanations(kind: type[Any]) -> dict[str, str]:
    """Field name -> explanation in one line; a field without one is absent, as is everything without source code."""
    try:
        body = ast.parse(inspect.getsource(kind)).body[0].body
    except (OSError, SyntaxError, AttributeError):
        return {}
    found = {}
    for field, text in pairwise(body):
        is_text = (
            isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        )
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            found[field.target.id] = re.sub(r"\s+", " ", text.value.value).strip()
    return found
