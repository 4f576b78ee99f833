"""Data sets: AVSBench as published, a user's own folder, and what training and evaluation take from them."""

from avseg_core.data import avsbench_object, avsbench_semantic

__all__ = ["avsbench_object", "avsbench_semantic"]  # importing them registers their layouts
