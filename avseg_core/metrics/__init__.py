"""mIoU and F-score under three protocols that must never share a column.

avsbench: what the AVSBench and AVSegFormer scripts print, with all their quirks; frame: plain means over frames;
dataset: pixels of the whole data set counted together.
"""

from avseg_core.metrics.meter import Meter, make_meter
from avseg_core.metrics.scores import PROTOCOLS, ClassScore, Protocol, Scores

__all__ = ["PROTOCOLS", "ClassScore", "Meter", "Protocol", "Scores", "make_meter"]
