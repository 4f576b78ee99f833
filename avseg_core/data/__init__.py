"""Data sets: AVSBench as published, a user's own folder, and what training and evaluation take from them."""
