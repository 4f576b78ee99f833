"""The live page: camera and microphone in, what sounds on screen, now."""
