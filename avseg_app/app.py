"""Opens the application."""


def main() -> int:
    """Runs the window until it is closed and returns the exit code."""
    raise NotImplementedError
