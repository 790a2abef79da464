"""The calls."""

from contextlib import contextmanager
from os import PathLike, fspath
from os.path import abspath
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from .errors import IchainError
from .program import Program, flags

Path = Union[str, "PathLike[str]"]
Json = Dict[str, Any]


class Client:
    """A home of ichain.

    :param home: folder of its configuration and data; ``ICHAIN_HOME`` or ~/.config/ichain when absent
    :param network: a network file, or a name in the home's networks/
    :param password: the wallet's; ``ICHAIN_PASSWORD`` or ``ICHAIN_PASSWORD_FILE`` when absent. Reading needs none
    :param program: the command line
    :param progress: whether what ichain reports while it works is shown on stderr
    """

    def __init__(
        self,
        *,
        home: Optional[Path] = None,
        network: Optional[Path] = None,
        password: Optional[str] = None,
        program: Path = "ichain",
        progress: bool = False,
    ) -> None:
        given = {"ICHAIN_HOME": home, "ICHAIN_NETWORK": network, "ICHAIN_PASSWORD": password}
        self._env = {name: fspath(value) for name, value in given.items() if value is not None}
        self._program = fspath(program)
        self._progress = progress

    def stream(self, *words: str) -> Iterator[Json]:
        """Every line that a command prints, as it comes; ``stream("watch", "3fa9c01b")``. Closing it interrupts it."""
        with self._run(words) as program:
            yield from program.lines()

    def command(self, *words: str) -> Json:
        """Any command, to its end: ``command("stake", "deposit", "2")``; the last that it prints."""
        last: Json = {}
        for last in self.stream(*words):
            pass
        return last

    def address(self) -> str:
        """The account's address."""
        return str(self.command("wallet", "address")["address"])

    def balances(self) -> Json:
        """What the account holds, and what the escrow owes it."""
        return self.command("wallet", "balance")

    def providers(
        self,
        *,
        gpu: bool = False,
        min_rating: Optional[float] = None,
        max_price: Optional[str] = None,
        tier: Optional[str] = None,
        sort: Optional[str] = None,
    ) -> List[Json]:
        """The offers on the market, the best rated first; ``max_price`` in coin an hour: ``"0.05"``."""
        options = flags({"gpu": gpu, "min_rating": min_rating, "max_price": max_price, "tier": tier, "sort": sort})
        return list(self.command("providers", *options)["providers"])

    def prices(self) -> List[Json]:
        """What providers ask for an hour, by kind of machine."""
        return list(self.command("quote", "--market")["prices"])

    def quote(
        self,
        file: Path,
        *,
        provider: Optional[str] = None,
        validators: Optional[Sequence[str]] = None,
        variables: Mapping[str, object] = {},
    ) -> Json:
        """What a job would cost, by whom it would be done, and the worst that each ending takes."""
        return self.command("quote", abspath(file), *_choice(provider, validators, variables))

    def submit(
        self,
        file: Path,
        *,
        provider: Optional[str] = None,
        validators: Optional[Sequence[str]] = None,
        variables: Mapping[str, object] = {},
        most: Union[int, str, None] = None,
        tries: Optional[int] = None,
        failover: Optional[int] = None,
        wait: bool = False,
        out: Optional[Path] = None,
    ) -> Json:
        """Posts a job. With ``wait`` until its result lies in ``out``; without, something must act for it: ``serving()``.

        :param most: what it may lock, in the smallest unit of its token; it is refused when it would lock more
        """
        folder = None if out is None else fspath(out)
        options = {"most": most, "tries": tries, "failover": failover, "wait": wait, "detach": not wait, "out": folder}
        choice = _choice(provider, validators, variables)
        return self.command("submit", abspath(file), "--yes", *choice, *flags(options))

    def follow(self, job: str) -> Iterator[Json]:
        """A job at every change until it is final. It ends without an error however the job does: the last tells."""
        try:
            yield from self.stream("watch", job)
        except IchainError as error:
            if error.code != "JOB_NOT_SETTLED":
                raise

    def logs(self, job: str, *, follow: bool = False) -> Iterator[str]:
        """What a job's task printed, in pieces; with ``follow`` until it ends."""
        for line in self.stream("logs", job, *flags({"follow": follow})):
            yield str(line["text"])

    def get(self, job: str, *, out: Optional[Path] = None, round: Optional[int] = None) -> Json:
        """Opens the result of a settled job into ``out``, a folder that does not exist."""
        return self.command("get", job, *flags({"out": None if out is None else fspath(out), "round": round}))

    def jobs(self, *, all: bool = False) -> List[Json]:
        """The account's jobs in every role, the newest first; final ones too with ``all``."""
        return list(self.command("jobs", *flags({"all": all}))["jobs"])

    def job(self, job: str) -> Json:
        """One job: terms, state, measurements."""
        return self.command("job", job)

    def why(self, job: str) -> Json:
        """Where a job stands, who must act by when, and what happens then."""
        return self.command("why", job)

    def cancel(self, job: str) -> Json:
        """Takes back a job that is not accepted yet."""
        return self.command("cancel", job)

    def stop(self, job: str) -> Json:
        """Ends the run of an accepted job, for the time used."""
        return self.command("stop", job)

    def rate(self, job: str, score: int) -> Json:
        """Scores the provider of a job that is over, from 1 (bad) to 5 (good)."""
        return self.command("rate", job, str(score))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Acts for posted jobs, as ``ichain serve`` does, until the block is left; one that runs already will do."""
        with self._run(["serve"]) as server:
            try:
                next(server.lines())
            except IchainError as error:
                if error.code != "HOME_BUSY":
                    raise
            yield

    def _run(self, words: Sequence[str]) -> Program:
        return Program([self._program, *words], self._env, self._progress)


def _choice(
    provider: Optional[str], validators: Optional[Sequence[str]], variables: Mapping[str, object]
) -> List[str]:
    values = [f"{name}={value}" for name, value in variables.items()]
    return flags({"provider": provider, "validator": validators, "variable": values})
