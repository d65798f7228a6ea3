"""A reader at a terminal: types a document's commands into one bash, and keeps what goes on running in others."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

from docs.transcript import Change, Command, File, Step, Terminal, agrees
from support import processes

SECONDS = 60.0
"""For one command, or for what goes on running to say that it is ready."""
ROOT = Path(__file__).parents[2]
_END = "\x01end of command\x01"


class DocumentIsWrong(AssertionError):
    """A document shows something else than what happens."""


class Reader:
    """Follows one document in a folder of its own. ``ports`` maps those of the document to free ones."""

    def __init__(self, folder: Path, ports: Mapping[int, int]) -> None:
        self._folder = folder
        self._ports = ports
        self._port = re.compile("|".join(rf"\b{port}\b" for port in ports))
        self._background: list[processes.Running] = []
        # `source .venv/bin/activate` of the documents is this environment.
        (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        self._environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={**os.environ, **self._environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def follow(self, steps: list[Step]) -> None:
        """Do everything that the document says. Raises ``DocumentIsWrong`` at the first difference."""
        for step in steps:
            match step:
                case File(name, content):
                    self.write(name, content)
                case Change():
                    self._change(step)
                case Terminal(commands, goes_on=True):
                    (command,) = commands
                    self._leave_running(command)
                case Terminal(commands):
                    self._type(commands)

    def write(self, name: str, content: str) -> None:
        """Put a file into the folder, with this reader's ports."""
        (self._folder / name).write_text(self._with_own_ports(content))

    def leave(self) -> None:
        """Ctrl-C in every terminal, the last one first. Raises ``DocumentIsWrong`` for what does not end by that."""
        cast("IO[bytes]", self._shell.stdin).close()
        try:
            self._shell.wait(5)
        except subprocess.TimeoutExpired:  # It still runs the command that failed the test.
            os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait()
        cast("IO[bytes]", self._shell.stdout).close()
        stubborn = []
        for program in reversed(self._background):
            family = program.children()
            if program.alive():
                program.signal(signal.SIGINT)
            try:
                program.wait(20)
            except processes.ProcessFailedError as error:
                stubborn.append(str(error))
                program.kill()
            stubborn += [f"{program.name} left {child.pid} behind" for child in family if child.is_running()]
        if stubborn:
            raise DocumentIsWrong("\n".join(stubborn))

    def _type(self, commands: tuple[Command, ...]) -> None:
        for command, following in zip(commands, (*commands[1:], None), strict=True):
            seen, status = self._run(self._with_own_ports(command.text))
            expected = self._with_own_ports(command.expected)
            is_status_shown = following is not None and following.text == "echo $?"
            if not agrees(seen, expected) or (status and not is_status_shown):
                raise DocumentIsWrong(self._difference(command, expected, f"{seen}(status {status})"))
            for written in self._folder.glob("*.yaml"):  # `strangler init` writes the gateway's usual ports
                self.write(written.name, written.read_text())

    def _run(self, text: str) -> tuple[str, int]:
        stdin, stdout = cast("IO[bytes]", self._shell.stdin), cast("IO[bytes]", self._shell.stdout)
        # The last line keeps the status for an `echo $?` that follows.
        stdin.write(f"{text}\n_status=$?; printf '%s %d\\n' '{_END}' $_status; (exit $_status)\n".encode())
        stdin.flush()
        deadline = time.monotonic() + SECONDS
        seen = b""
        while True:
            output, end, status = seen.decode(errors="replace").partition(_END)
            if end and status.endswith("\n"):
                return output, int(status)
            if not select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise DocumentIsWrong(f"`{text}` has not ended within {SECONDS:g} s; so far:\n{output}")
            data = os.read(stdout.fileno(), 65_536)
            if not data:
                raise DocumentIsWrong(f"the shell ended in `{text}`:\n{output}")
            seen += data

    def _leave_running(self, command: Command) -> None:
        text = self._with_own_ports(_recipe(command.text))
        log = self._folder / f"terminal-{len(self._background)}.log"
        program = processes.start(text, ["bash", "-c", text], log=log, cwd=self._folder, env=self._environment)
        self._background.append(program)
        expected = self._with_own_ports(command.expected)
        deadline = time.monotonic() + SECONDS
        while not agrees(log.read_text(errors="replace"), expected, as_beginning=True):
            if not program.alive() or time.monotonic() > deadline:
                raise DocumentIsWrong(self._difference(command, expected, log.read_text(errors="replace")))
            time.sleep(0.05)  # Another program's output is a file: there is nothing to be woken by.

    def _change(self, change: Change) -> None:
        path = self._folder / change.name
        text = path.read_text()
        before, after = self._with_own_ports(change.before), self._with_own_ports(change.after)
        if text.count(before) != 1:
            raise DocumentIsWrong(f"{change.name} has {text.count(before)} times, not once:\n{before}\n---\n{text}")
        path.write_text(text.replace(before, after))

    def _with_own_ports(self, text: str) -> str:
        return self._port.sub(lambda found: str(self._ports[int(found[0])]), text)

    def _difference(self, command: Command, expected: str, seen: str) -> str:
        running = "".join(f"\n--- {program.name} ---\n{program.output()}" for program in self._background)
        return f"line {command.line}: $ {command.text}\n--- shown ---\n{expected}--- seen ---\n{seen}{running}"


def _recipe(text: str) -> str:
    """`make TARGET` is what the Makefile does for it, without a second installation."""
    make, *target = text.split()
    if make != "make":
        return text
    # The tests may run below a make of their own, which would pass its flags on and have this one report its folders.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    command = ["make", "--dry-run", "--no-print-directory", *target]
    lines = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout
    return lines.splitlines()[-1]
