"""What can go wrong in a way that a user can act on."""


class AVSegError(Exception):
    """A failure with one clear line for the user: what failed, in which file, and the remedy (exit code 1)."""


class InputError(AVSegError):
    """Bad usage or bad input: the user's file or option is at fault (exit code 2)."""


class Cancelled(AVSegError):
    """The user asked a long action to stop (exit code 130)."""
