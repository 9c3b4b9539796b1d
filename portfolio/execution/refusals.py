"""Why we ourselves refuse something, before anything is stored or sent."""


class Refused(Exception):
    """`code` is for programs, the sentence for people; `field` names the input it is about ("" where it is about none)."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class NotFound(Exception):
    """There is no such object for this caller: missing and foreign answer alike."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")
        self.what = what
