"""AVSeg Studio's engine: audio-visual segmentation without Qt, a compiler or a config framework."""

__version__ = "0.1.0"
