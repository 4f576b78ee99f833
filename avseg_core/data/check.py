"""What a look at every file of a data set found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SPLITS = ("train", "val", "test")
MAX_LISTED = 200
"""Problems of one kind that are kept with their text; further ones are only counted."""


@dataclass(frozen=True)
class Problem:
    """One thing that is missing or odd."""

    kind: str
    """Groups equal findings: "missing mask", "unreadable picture", ..."""
    where: str
    """The file, clip or split."""
    what: str
    """The finding in words."""


@dataclass
class CheckReport:
    """Everything that was found in one layout; the size is bounded whatever the data set's."""

    title: str
    root: str
    counts: dict[str, int] = field(default_factory=dict)
    """Clips per split."""
    published: dict[str, int] = field(default_factory=dict)
    """Clips per split of the published data set; empty for a user's own."""
    facts: dict[str, float] = field(default_factory=dict)
    """Figures worth knowing that are no problem by themselves, e.g. the share of pixels of unknown colour."""
    problems: list[Problem] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    """Problems per kind, also those beyond `MAX_LISTED`."""

    def add(self, kind: str, where: object, what: str) -> None:
        """Notes one problem."""
        self.totals[kind] += 1
        if self.totals[kind] <= MAX_LISTED:
            self.problems.append(Problem(kind, str(where), what))

    @property
    def fine(self) -> bool:
        """True when nothing was missing or odd."""
        return not self.totals

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "title": self.title,
            "root": self.root,
            "fine": self.fine,
            "counts": self.counts,
            "published": self.published,
            "facts": self.facts,
            "totals": dict(self.totals),
            "problems": [{"kind": p.kind, "where": p.where, "what": p.what} for p in self.problems],
        }
