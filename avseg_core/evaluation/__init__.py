"""Runs a model over a data set and tells how good it is: tables, JSON, a page with pictures, saved masks."""

from avseg_core.evaluation.report import EvaluationReport, Example
from avseg_core.evaluation.runner import evaluate_model

__all__ = ["EvaluationReport", "Example", "evaluate_model"]
