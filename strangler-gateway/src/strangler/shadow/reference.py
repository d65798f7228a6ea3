"""Writes the page on what is compared: ``python -m strangler.shadow.reference > docs/reference/normalisers.md``."""

import sys
import textwrap

from strangler.model.shadow import HARMLESS, Comparing, Redaction
from strangler.shadow.headers import BY_SERVER, FRAMING
from strangler.shadow.normalisers import DECLARED, NORMALISERS

_HEAD = """\
# What is compared, and what is taken for equal

<!-- Made by `python -m strangler.shadow.reference`; edit strangler/shadow/normalisers.py or reference.py instead. -->

Two answers to one question, the monolith's and the service's. [How to compare answers](../how-to/compare-answers.md)
says what for. What is not said to be equal here is a difference.

## Known differences

`shadow.compare.normalise` names those that a route takes for equal. Each time one does, it is counted under its name.
In use where nothing is said: {harmless}.
No client that reads HTTP and JSON by their standards can tell those apart.

| Name | What it makes equal | One side | The other |
| --- | --- | --- | --- |
"""

_DECLARED = """
## What a route declares

It is counted in the same way:

| Name | What it makes equal |
| --- | --- |
"""

_FIELDS = (
    ("`status`", "The status. If one is a success and the other a fault, say, headers and bodies are not compared."),
    ("`header.NAME`", "A header, in small letters; several lines count as one."),
    ("`header.set-cookie.NAME`, `header.set-cookie.NAME.ATTRIBUTE`", "A cookie, and what is said of it."),
    ("`body.items[].price`", 'A member of JSON, or a field of a form. Names with a dot or a blank: `body."a.b"`.'),
    ("`body.lines[]`", "A line of text, HTML and XML included."),
    ("`body`", "The body as a whole; if it is no text, by its length and SHA-256."),
    (
        "`effects.rows.TABLE.OPERATION.COLUMN`",
        "A column of a row that was written. Rows belong together by their keys, new ones also by their order.",
    ),
    (
        "`effects.events.TOPIC.MEMBER`",
        "A member of an event's payload. Events of one topic are compared in their order.",
    ),
    ("`effects.calls.NAME.MEMBER`", "An argument of a call to somebody else."),
)

_KINDS = (
    ("`value`", "Two values of one type; two numbers that are not the same."),
    ("`type`", 'Two types: 1 and 1.0, 1 and "1", null and "".'),
    ("`missing`, `added`", "The service lacks it; only the service has it."),
    ("`order`", "The same elements, members or events in another order."),
    ("`length`", "Arrays, or texts in lines, of two lengths. What begins or ends alike in both is compared."),
    ("`format`", "One side cannot be read as what the other is: a page in place of JSON, a damaged coding."),
)

_REST = """
Numbers are compared exactly, however long they are. 1.0 and 1.00 are the same, 1 and 1.0 are not. White space and
escapes of JSON are no part of it; a name that an object has twice is.

## Headers

Compared by default, `*` in `shadow.compare.headers` means all:
{headers}.
Differences in others are counted as ignored. What a server writes about itself is compared where `server-headers` is
switched off: {by_server}.
Never compared, since they are of the connection and not of the answer:
{framing}.

## Bounds

| Bound | Default | Beyond it |
| --- | --- | --- |
| `max_bytes` | {max_bytes:,} | The rest of a decoded body is not looked at; nor 250 times its encoded size. |
| `max_depth` | {max_depth} | What lies deeper is not looked at. |
| `max_values` | {max_values:,} | Values, or lines, that come later are not looked at. |
| `max_differences` | {max_differences} | They are counted, not told. Of one field a tenth as many are told. |

What was not looked at is told with the comparison, in words. `gzip` and `deflate` are taken off, two of them at most;
bodies in other codings are equal if their bytes are.

## What is kept of it

Samples are redacted before they come to a disk. In the place of what is left out stand its kind and its length:
`(email:17)`.

- Of headers: the values of those in `keep_headers`, by default
  {kept_headers};
  of cookies their names and attributes.
- Of query parameters: the values of those in `keep_query`, by default
  {kept_query}.
- Of bodies and effects: JSON, forms and text, but for what follows; of anything else the length.

Left out wherever it stands, escaped or not:

- the declared `fields`, and what the declared `patterns` find
- values under names such as `password`, `token`, `apiKey`, `session`, `pin`, also of JSON in a text, of
  parameters and of cookies
- JWTs, credentials as in `Authorization` and in URLs, keys of well-known services, PEM blocks
- e-mail addresses, card numbers and IBANs whose check digits are right
- hexadecimal of 32 digits or more, and base64 of 24 bytes or more that looks drawn by lot

A UUID stays: it identifies more often than it opens anything. Declare the field where that is not so.
"""


def reference() -> str:
    """The page, in Markdown."""
    comparing, redaction = Comparing(), Redaction()
    known = "".join(
        f"| `{one.name}` | {one.description} | `{one.primary}` | `{one.candidate}` |\n" for one in NORMALISERS
    )
    declared = "".join(f"| `{name}` | {description} |\n" for name, description in DECLARED)
    rest = _REST.format(
        headers=_listed(comparing.headers),
        by_server=_listed(sorted(BY_SERVER)),
        framing=_listed(sorted(FRAMING)),
        max_bytes=comparing.max_bytes,
        max_depth=comparing.max_depth,
        max_values=comparing.max_values,
        max_differences=comparing.max_differences,
        kept_headers=_listed(redaction.headers, "  "),
        kept_query=_listed(redaction.query, "  "),
    )
    fields = f"\n## Names of fields\n\n{_table('Field', _FIELDS)}\n{_table('Kind of difference', _KINDS)}"
    return f"{_HEAD.format(harmless=_listed(HARMLESS))}{known}{_DECLARED}{declared}{fields}{rest}"


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    return f"| {title} | What it is |\n| --- | --- |\n" + "".join(f"| {name} | {text} |\n" for name, text in rows)


def _listed(names: tuple[str, ...] | list[str], indent: str = "") -> str:
    return textwrap.fill(
        ", ".join(f"`{name}`" for name in names), 118, subsequent_indent=indent, break_on_hyphens=False
    )


if __name__ == "__main__":
    sys.stdout.write(reference())
