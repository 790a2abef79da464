"""The Python client, with the real command line where nothing has to be running (ICHAIN), else with a stand-in."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from typing import List

from ichain_client import Client, IchainError
from ichain_client.program import flags

#: Prints what it was asked, goes on for ever, and leaves a file when it is interrupted.
ENDLESS = """#!{python}
import json, signal, sys, threading
stop = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stop.set())
print("noise", flush=True)
print(json.dumps({{"state": "Posted", "words": sys.argv[1:]}}), flush=True)
while not stop.wait(0.1):
    pass
open({mark!r}, "w").close()
sys.exit(130)
"""


def code_of(call: object, *words: object, **options: object) -> str:
    try:
        call(*words, **options)  # type: ignore[operator]
    except IchainError as error:
        assert error.hint or error.code == "PROGRAM_FAILED"
        return error.code
    return ""


class ClientTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, text: str) -> Path:
        path = self.folder / "program"
        path.write_text(text)
        path.chmod(0o700)
        return path

    def test_raises_what_the_command_line_says(self) -> None:
        client = Client(home=self.folder / "home", program=os.environ["ICHAIN"])
        self.assertEqual(code_of(client.address), "NO_WALLET")
        self.assertEqual(code_of(client.quote, self.folder / "none.yaml"), "JOB_UNREADABLE")
        self.assertEqual(code_of(client.job, "no-id"), "USAGE")
        made = client.command("new", "sklearn", str(self.folder / "task"))
        self.assertIn("job.yaml", made["files"])
        self.assertEqual(
            code_of(client.quote, self.folder / "task" / "job.yaml", variables={"none": 1}), "VARIABLE_UNKNOWN"
        )

    def test_says_so_when_there_is_no_command_line_or_it_says_nothing(self) -> None:
        self.assertEqual(code_of(Client(program=self.folder / "none").address), "PROGRAM_MISSING")
        silent = self.program(f"#!{sys.executable}\nimport sys\nprint('{{')\nsys.exit(3)\n")
        self.assertEqual(code_of(Client(program=silent).jobs), "PROGRAM_FAILED")

    def test_interrupts_what_is_left_early(self) -> None:
        mark = self.folder / "interrupted"
        program = self.program(ENDLESS.format(python=sys.executable, mark=str(mark)))
        client = Client(program=program, home=self.folder, password="secret")
        for event in client.follow("abcd"):
            self.assertEqual(event["words"], ["watch", "abcd", "--json", "--quiet"])
            break
        del event
        self.assertTrue(mark.exists())
        mark.unlink()
        with client.serving():
            self.assertFalse(mark.exists())
        self.assertTrue(mark.exists())

    def test_writes_options_as_the_command_line_reads_them(self) -> None:
        words: List[str] = flags({"most": 10**30, "min_rating": 4.5, "gpu": True, "all": False, "out": None, "v": ["a", "b"]})
        self.assertEqual(words, [f"--most={10**30}", "--min-rating=4.5", "--gpu", "--v=a", "--v=b"])


if __name__ == "__main__":
    unittest.main()
