"""A value that nobody may see: it shows itself only where it is asked to."""

from __future__ import annotations

import hmac
from typing import NoReturn, SupportsIndex

from generator.core.errors import UserError

MASK = "******"


class Secret:
    """Bytes that stay out of logs, messages, tracebacks and pickles.

    `str`, `repr` and format give a mask of constant length; `reveal` and `text` give the value.
    Comparison takes constant time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        self._value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """The value itself; call it as late as possible and keep no copy."""
        return self._value

    def text(self) -> str:
        """The value as text; raises UserError when it isn't UTF-8."""
        try:
            return self._value.decode()
        except UnicodeDecodeError:
            pass
        # Raised outside the handler: a UnicodeDecodeError carries the whole value along.
        raise UserError("the value is not UTF-8 text", hint="give it as a file if it is binary")

    @property
    def size(self) -> int:
        """How many bytes the sealed value will occupy in the Secret."""
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied to another process")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
