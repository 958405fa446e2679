"""Telling a mistake of the user from a bug."""

from opcode import opmap


def is_user_error(error: BaseException) -> bool:
    """Whether `error` reports a mistake of the user rather than a bug.

    It does if it is a ValueError or FileNotFoundError that a `raise` statement of this package raised. One
    from a library, or from a call such as `int(text)` that this package forgot to guard, is a bug.
    """
    trace = error.__traceback__
    if not isinstance(error, ValueError | FileNotFoundError) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    is_raise = frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]
    return is_raise and frame.f_globals.get("__name__", "").startswith("recsys.")


def behind_hydra(error: Exception) -> BaseException:
    """The constructor's own error, where Hydra's `instantiate` wrapped it."""
    wrapped = type(error).__name__ == "InstantiationException"  # by name: Hydra may never have been imported
    return error.__cause__ if wrapped and error.__cause__ is not None else error
