"""What can go wrong, sorted by who must act."""


class BridgeError(Exception):
    """Base of all our errors.  Its text names what to fix and holds no value."""


class VerificationError(BridgeError):
    """The caller must act: the request is not signed with a secret we know (401)."""


class TranslationError(BridgeError):
    """The delivery cannot be understood; it is kept as dead with *reason*.

    *reason* is a short word for counting (``not_json``); the text is a sentence.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class RenderError(BridgeError):
    """The destination would refuse the event; it is skipped as ``invalid:<field>``."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class ConfigError(BridgeError):
    """The operator must act: a setting is missing or wrong."""
