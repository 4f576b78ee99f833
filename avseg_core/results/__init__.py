"""What segmentation found: the mask store, masks in the video's own pixels, the timeline and the exporters."""
