"""The judge of documents is judged: it must see what differs, and nothing else."""

import pytest

from docs.transcript import Change, Command, File, Terminal, agrees, read_steps

DOCUMENT = """\
# Title

```console background
$ sleep 60
```

```python app.py
print("hello")
```

```text
no claim
```

```diff app.py
-print("hello")
+print("bye")
```

```console
$ python app.py
bye
$ true
```
"""


def test_a_document_becomes_the_steps_of_its_reader() -> None:
    assert read_steps(DOCUMENT) == [
        Terminal((Command(4, "sleep 60", ""),), goes_on=True),
        File("app.py", 'print("hello")\n'),
        Change("app.py", 'print("hello")\n', 'print("bye")\n'),
        Terminal((Command(21, "python app.py", "bye\n"), Command(23, "true", "")), goes_on=False),
    ]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("", ""),
        ("ready in 12 ms\n", "ready in … ms\n"),
        ("a\nb\nc\nd\n", "a\n…\nd\n"),
        ("a\nd\n", "a\n…\nd\n"),
        ("a\nb\n", "…\nb\n"),
        ("a\nb\n", "a\n…\n"),
        ("a\nb\n", "…\n"),
        ("", "…\n"),
        ("\n a   b \n\n c\n", "a b\nc\n"),
        ("(1.5) [x]\n", "(1.5) [x]\n"),
    ],
)
def test_what_is_shown_is_seen(seen: str, expected: str) -> None:
    assert agrees(seen, expected)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("a\n", ""),
        ("", "a\n"),
        ("ready in 12 s\n", "ready in … ms\n"),
        ("a\nb\nc\n", "a\n…\nd\n"),
        ("a\nb\n", "a\n"),
        ("x\nb\n", "a\n…\nb\n"),
        ("1x5\n", "1.5\n"),
        ("ab\n", "…\nb\n"),
        ("ba\n", "b\n…\n"),
        ("one\ntwo\n", "one … two\n"),
    ],
)
def test_what_differs_is_found(seen: str, expected: str) -> None:
    assert not agrees(seen, expected)


def test_the_beginning_of_an_output_is_enough_for_what_goes_on_running() -> None:
    assert agrees("x\nready\nmore\n", "…\nready\n", as_beginning=True)
    assert not agrees("x\nnot ready\n", "…\nready\n", as_beginning=True)
