"""What can go wrong, by what the person can do about it.

    SettenError(message, **data)
    ├── Invalid      the input is wrong: correct it
    ├── NotFound     it is not there, or not for you to see
    ├── NotAllowed   you are known, and may not
    ├── Conflict     it changed meanwhile, or its state does not allow it
    └── TooMany      slow down, come back later

The message is for the person, `code` for a program. No floor below the web knows HTTP.
"""


class SettenError(Exception):
    code = "error"

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class Invalid(SettenError):
    code = "invalid"


class NotFound(SettenError):
    code = "not_found"


class NotAllowed(SettenError):
    code = "not_allowed"


class Conflict(SettenError):
    code = "conflict"


class TooMany(SettenError):
    code = "too_many"
