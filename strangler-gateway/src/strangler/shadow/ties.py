"""Order among ties: whether two orders of the same elements are both sorted, by something that leaves it open."""

from collections.abc import Callable, Hashable
from urllib.parse import parse_qsl

from strangler.shadow.answer import Question
from strangler.shadow.exact import Real, Value
from strangler.shadow.scalars import number_or_text

_SORT = frozenset(("sort", "sort_by", "sortby", "order", "order_by", "orderby", "ordering"))
_MOST_MEMBERS = 50


def sorted_by(question: Question) -> tuple[str, ...]:
    """The members by which a request asks to sort: ``sort=-price`` and its like."""
    query = question.target.partition(b"?")[2].decode("latin-1")[:4096]
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        return ()
    names = [part for name, value in pairs if name.lower() in _SORT for part in value.split(",")]
    return tuple(part.strip().lstrip("+-").split(":")[0].split(" ")[0] for part in names if part.strip("+- "))


def member_of_ties(
    primary: list[Value], candidate: list[Value], print_of: Callable[[str, Value], Hashable], sorts: tuple[str, ...]
) -> str:
    """The member by which both are sorted, position by position the same, so that only ties stand otherwise.

    That is one that the request names, or one by which the elements are seen to be in order. Empty if there is none.
    """
    first = primary[0]
    if not isinstance(first, dict):
        return ""
    for name in [key for key in first if isinstance(key, str)][:_MOST_MEMBERS]:
        mine, theirs = _column(primary, name), _column(candidate, name)
        if mine is None or theirs is None:
            continue
        if [print_of(name, value) for value in mine] != [print_of(name, value) for value in theirs]:
            continue
        if name in sorts or _in_order(mine):
            return name
    return ""


def member_that_tells_apart(
    primary: list[Value], candidate: list[Value], print_of: Callable[[str, Value], Hashable]
) -> str:
    """A member in which every element has another value than the others, and both sides have the same of them, such as
    an id. Empty if there is none."""
    first = primary[0]
    if not isinstance(first, dict):
        return ""
    for name in [key for key in first if isinstance(key, str)][:_MOST_MEMBERS]:
        mine, theirs = _column(primary, name), _column(candidate, name)
        if mine is None or theirs is None or any(isinstance(value, list | dict) for value in (*mine, *theirs)):
            continue
        prints = frozenset(print_of(name, value) for value in mine)
        if len(prints) == len(mine) and prints == frozenset(print_of(name, value) for value in theirs):
            return name
    return ""


def _column(elements: list[Value], name: str) -> list[Value] | None:
    if not all(isinstance(one, dict) and name in one for one in elements):
        return None
    return [one[name] for one in elements if isinstance(one, dict)]


def _in_order(column: list[Value]) -> bool:
    """Whether it rises or falls, and does not stay the same throughout: that would prove nothing."""
    if any(isinstance(value, list | dict) or value is None for value in column):
        return False
    numbers = [number_or_text(value) for value in column]
    keys: list[object]
    if all(one is not None for one in numbers):
        keys = list(numbers)
    elif all(isinstance(value, str) and not isinstance(value, Real) for value in column):
        keys = [str(value).casefold() for value in column]
    else:
        return False
    rises = sorted(keys)  # type: ignore[type-var]  # all numbers, or all texts
    return rises[0] != rises[-1] and keys in (rises, rises[::-1])
