"""What a call raises."""

from typing import Any, Dict, Mapping


class IchainError(Exception):
    """A failure of ichain. ``code`` is stable (docs/reference/errors.md), ``hint`` says what to do next.

    Two codes are of this client: ``PROGRAM_MISSING`` and ``PROGRAM_FAILED``, where ichain said nothing it understands.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", retryable: bool = False, details: Mapping[str, Any] = {}
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.details: Dict[str, Any] = dict(details)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]" + (f" {self.hint}" if self.hint else "")
