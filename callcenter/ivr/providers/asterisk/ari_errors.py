"""What an Asterisk says no to, or does not answer."""


class AriError(Exception):
    """Asterisk did not do what it was asked for; the message says what and why."""


class AriUnreachable(AriError):
    """It did not answer."""


class AriRefused(AriError):
    """It answered no."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class AriGone(AriRefused):
    """What was named is not there any more: a channel that has hung up, a playback that has ended."""
