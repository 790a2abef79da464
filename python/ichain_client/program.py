"""Runs ``ichain WORDS --json`` and reads its lines."""

import json
import os
import signal
import subprocess
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Union

from .errors import IchainError

#: For a program that was interrupted to leave what ``ichain resume`` carries on, seconds.
END_SECONDS = 20.0

Value = Union[str, int, float, bool, Sequence[str], None]


def flags(options: Mapping[str, Value]) -> List[str]:
    """``--name=value`` for each that is given; True is a flag by itself, a list is given value by value."""
    words: List[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        elif isinstance(value, (str, int, float)):
            words.append(f"{flag}={value}")
        else:
            words.extend(f"{flag}={one}" for one in value)
    return words


class Program:
    """One run of the command line. Leaving the ``with`` block before its end interrupts it."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], progress: bool) -> None:
        quiet = [] if progress else ["--quiet"]
        try:
            self._process = subprocess.Popen(
                [*words, "--json", *quiet],
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if progress else subprocess.DEVNULL,
                encoding="utf-8",
                # Ctrl-C reaches it once, by `__exit__`: a second would end it at once.
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise IchainError(
                "PROGRAM_MISSING",
                f"There is no program {words[0]}.",
                'Install ichain, or name it: Client(program="/path/to/ichain").',
            ) from error

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def lines(self) -> Iterator[Dict[str, Any]]:
        """Each line that it prints, until its end.

        :raises IchainError: with the code that it ends by
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                printed = json.loads(line)
            except ValueError:
                continue
            if not isinstance(printed, dict):
                continue
            error = printed.get("error")
            if set(printed) == {"error"} and isinstance(error, dict):
                known = ("code", "message", "hint", "retryable", "details")
                raise IchainError(**{name: error[name] for name in known if name in error})
            yield printed
        code = self._process.wait()
        if code != 0:
            raise IchainError("PROGRAM_FAILED", f"ichain ended with code {code} and did not say why.")
