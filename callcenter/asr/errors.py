"""What can go wrong with a recording, a speech model or the process that runs it."""

from typing import ClassVar


class SpeechError(Exception):
    """Base of everything that this package raises on purpose."""

    worth_retrying: ClassVar[bool] = False
    """Whether the same recording may well succeed a second time."""


class RecordingError(SpeechError):
    """The recording itself cannot be transcribed; the message says why."""


class NotAudio(RecordingError):
    """The file is not a recording in a format that we read."""


class EmptyRecording(RecordingError):
    """The file holds no sound at all."""


class TooLong(RecordingError):
    """The recording is longer than the configured limit, by its header or by what it decodes to."""


class ModelError(SpeechError):
    """The speech model cannot be used; the message names the folder and the remedy."""


class ModelMissing(ModelError):
    """There is no model where the configuration says."""


class ModelBroken(ModelError):
    """The model's folder is there but incomplete, truncated or refused by the engine."""


class ModelDownloadFailed(ModelError):
    """The model could not be fetched whole; what was fetched is kept and the next try resumes."""


class UnknownModel(ModelError):
    """The manifest has no model of this name."""


class UnsafeArchive(ModelError):
    """The downloaded archive would write outside its folder, or unpacks to far too much."""


class EngineUnknown(SpeechError):
    """No speech engine of this name is installed."""


class EngineCrashed(SpeechError):
    """The process that transcribed this recording died; other recordings are not affected."""

    worth_retrying = True


class TranscriptionTimedOut(SpeechError):
    """The recording took longer than its length allows; its process was killed."""

    worth_retrying = True
