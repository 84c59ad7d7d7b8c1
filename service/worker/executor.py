"""The worker's threads: take runs while there is room, try again what may pass, keep the leases."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection

from service.queue.claims import Claim, Claims, Place
from service.settings.schema import Limits
from service.worker.runner import JobFailed, Runner

log = logging.getLogger("gen_env.worker")
_POLL_SECONDS = 0.25
# GitHub's limits are reset every hour; who asks for more has its clock wrong.
_LONGEST_PAUSE = 3_600.0
_ALL_DIED = "every worker that started this run ended before finishing it"


class Executor:
    """Carries out runs of these repositories until it is stopped."""

    def __init__(
        self, limits: Limits, runner: Runner, claims: Claims, places: Collection[Place]
    ) -> None:
        self._limits = limits
        self._runner = runner
        self._claims = claims
        self._places = places
        # Whoever follows a cluster does so for minutes, and takes no place from the others.
        self._most = {False: limits.concurrency, True: limits.verifications}
        self._busy: dict[bool, set[Claim]] = {False: set(), True: set()}
        self._wake, self._stopping, self._ended = (threading.Event() for _ in range(3))
        self._taking = threading.Thread(target=self._take_all, name="take", daemon=True)
        self._beating = threading.Thread(target=self._beat, name="lease", daemon=True)

    def start(self) -> None:
        """Give a sign of life, and begin to take runs."""
        self._claims.renew(())
        self._beating.start()
        self._taking.start()

    def stop(self) -> bool:
        """Take nothing new, wait for what follows no cluster, and hand the rest back.

        Returns whether something is left, whose threads keep the process from ending.
        """
        end = time.monotonic() + self._limits.drain_seconds
        self._stopping.set()
        self._wake.set()
        self._taking.join(self._limits.drain_seconds)
        while self._busy[False] and time.monotonic() < end:
            time.sleep(0.05)
        self._ended.set()
        self._beating.join(5)
        try:
            self._claims.hand_back()
        except Exception as error:  # then the leases run out by themselves
            log.warning("cannot end the leases: %s", type(error).__name__)
        return any(self._busy.values()) or self._taking.is_alive()

    @property
    def _claimed(self) -> list[Claim]:
        return [claim for busy in self._busy.values() for claim in busy.copy()]

    def _take_all(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                taken = [self._take(waits) for waits in self._busy]
            except Exception as error:  # the database may be away for a while; this must live on
                log.warning("cannot take runs: %s", type(error).__name__)
                taken = []
            if not any(taken):
                self._wake.wait(_POLL_SECONDS)

    def _take(self, waits: bool) -> bool:
        busy = self._busy[waits]
        if len(busy) >= self._most[waits]:
            return False
        claim = self._claims.take(self._places, waits=waits, busy=self._claimed)
        if claim is None:
            return False
        busy.add(claim)
        threading.Thread(target=self._carry_out, args=(claim, busy), daemon=True).start()
        return True

    def _carry_out(self, claim: Claim, busy: set[Claim]) -> None:
        try:
            self._claims.release(claim, self._attempt(claim))
        except Exception as error:  # the database is away: the lease ends by itself
            log.warning("run not ended: %s", type(error).__name__, extra={"run": claim.run})
        finally:
            busy.discard(claim)
            self._wake.set()

    def _attempt(self, claim: Claim) -> float:
        """Carry out the run, or give it up; the seconds until it may be tried again."""
        if claim.lost > self._limits.starts:
            self._runner.give_up(claim.run, _ALL_DIED, transient=False, owner=claim.owner)
            return 0.0
        try:
            self._runner.perform(claim.run, claim.owner)
        except JobFailed as error:
            failures = claim.failures + 1
            if error.transient and failures < self._limits.attempts:
                return pause(failures, self._limits.retry_seconds, error.after)
            message, transient = str(error), error.transient
            self._runner.give_up(claim.run, message, transient=transient, owner=claim.owner)
        return 0.0

    def _beat(self) -> None:
        while not self._ended.wait(self._claims.lease_seconds / 5):
            try:
                self._claims.renew(self._claimed)
            except Exception as error:  # the database may be away for a while; this must live on
                log.warning("cannot write the heartbeat: %s", type(error).__name__)


def pause(attempt: int, first: float, asked: float) -> float:
    """The seconds before another attempt: doubling, and no shorter than the forge asks for."""
    return float(max(first * 2 ** (attempt - 1), min(asked, _LONGEST_PAUSE)))
