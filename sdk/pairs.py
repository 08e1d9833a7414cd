"""Lists of problems: every complaint says which pair it is about."""

from mizzle.arrays import FloatArray, check_pair
from mizzle.errors import InvalidInput


def both(pair: object) -> tuple[object, object]:
    """The two samples of a pair.

    Raises:
        InvalidInput: it is no tuple or list of two.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidInput("this is not a pair (x, y)")
    return pair[0], pair[1]


def check_numbered(i: int, pair: object) -> tuple[FloatArray, FloatArray]:
    """`check_pair` of pair number `i`."""
    try:
        return check_pair(*both(pair))
    except InvalidInput as error:
        raise numbered(i, error) from None


def numbered(i: int, error: InvalidInput) -> InvalidInput:
    """The same error with the number of its pair in front."""
    return type(error)(f"pair {i} (counted from 0): {error}")
