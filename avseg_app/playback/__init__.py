"""Playing a video in time with its sound: clocks, sound output, frames ahead of time, and the player over them."""
