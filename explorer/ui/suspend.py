"""Ctrl+Z and fg: the terminal goes back to the shell, and is taken again when the shell lets the explorer go on.

Textual 8.2.8 does this inside signal handlers, which may come in the middle of a write and wait for it for ever; it
starts a second time where a process that was stopped from outside goes on; and it stops itself where there is no shell
to bring it back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.drivers.linux_driver import LinuxDriver

STOPS_SECONDS = 0.05
"""How long a stop may take to come: the signal is for all threads."""
UNHEARD_SECONDS = 0.3
"""After that nobody has stopped it: there is no shell that could."""
LAST_SECONDS = 0.1
"""Let go on in the background it has this long to act on a signal that came meanwhile, then it is stopped again."""


class Suspension:
    """A program that can be stopped and let go on, whoever does so. For the event loop's thread alone."""

    def __init__(self, driver: LinuxDriver, back: Callable[[bool], object]) -> None:
        """``back`` is called when the terminal is there again; with False where the program was not stopped at all."""
        self._driver, self._back = driver, back
        self.away = False
        """The terminal is somebody else's: nothing may be written."""
        self._given_back = False
        """In the state in which the shell left it."""
        self._turn = 0
        """Goes up with each stop and each going on; below zero the end has come."""

    def listen(self) -> None:
        """Hear what a shell or a user says to the process.

        Raises:
            RuntimeError, ValueError: not in the main thread.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCONT, self._go_on)
        loop.add_signal_handler(signal.SIGTSTP, self.stop)

    def stop(self) -> None:
        """Give the terminal back and stop, with all of the process group: a script around this program stops too."""
        if self.away:
            return
        self.away = self._given_back = True
        self._driver.suspend_application_mode()
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTSTP)  # what it does by itself: nothing where no shell could go on with it
        self._turn += 1
        os.kill(0, signal.SIGTSTP)
        time.sleep(STOPS_SECONDS)
        loop.add_signal_handler(signal.SIGTSTP, self.stop)
        loop.call_later(UNHEARD_SECONDS, self._unheard, self._turn)

    def leave(self) -> None:
        """It ends: a terminal that is somebody else's stays as it is."""
        if self.away:
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self._driver.attrs_before = None
        self._turn = -1

    def _go_on(self) -> None:
        if self._turn < 0:
            return
        self._turn += 1
        if not self._in_front():
            self.away = True
            asyncio.get_running_loop().call_later(LAST_SECONDS, self._stop_again, self._turn)
        else:
            self._take(True)

    def _unheard(self, number: int) -> None:
        if self.away and number == self._turn and self._in_front():
            self._take(False)

    def _stop_again(self, number: int) -> None:
        if number == self._turn:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _take(self, stopped: bool) -> None:
        if not self._given_back:  # stopped by force, it had no time to
            self._driver.suspend_application_mode()
        self.away = self._given_back = False
        self._driver.resume_application_mode()
        self._back(stopped)

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._driver.fileno) == os.getpgrp()
        except OSError:  # the terminal is gone
            return False
