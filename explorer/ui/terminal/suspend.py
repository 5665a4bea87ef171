"""Ctrl+Z and fg: give the terminal back to the shell, and take it again when the shell continues the explorer.

Textual 8.2.8 does this inside signal handlers, which can interrupt a write and then wait for it forever. It also starts
a second time when a process that was stopped from outside continues, and it stops itself even if no shell could
continue it. If Textual's own handlers ran in the event loop, this module could be removed.
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
"""Time that the signal may take to reach all threads."""
UNHEARD_SECONDS = 0.3
"""Time after which the process counts as not stopped: there is no shell that could continue it."""
LAST_SECONDS = 0.1
"""Time in which a process that is continued in the background handles pending signals, before it stops again."""


class Suspension:
    """Stops and continues the process, by key or by signal. Only for the thread of the event loop."""

    def __init__(self, driver: LinuxDriver, back: Callable[[bool], object]) -> None:
        """
        Args:
            back: called when the explorer has the terminal again, with whether the process was stopped.
        """
        self._driver, self._back = driver, back
        self.away = False
        """Whether another program has the terminal, so that nothing may be written."""
        self._given_back = False
        """Whether the terminal is in the state in which the shell left it."""
        self._turn = 0
        """Number of stops and continuations; negative after the end."""

    def listen(self) -> None:
        """Listen to the signals that stop and continue the process.

        Raises:
            RuntimeError, ValueError: this is not the main thread.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCONT, self._go_on)
        loop.add_signal_handler(signal.SIGTSTP, self.stop)

    def stop(self) -> None:
        """Give the terminal back and stop the whole process group: a script that runs this program stops too."""
        if self.away:
            return
        self.away = self._given_back = True
        self._driver.suspend_application_mode()
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTSTP)  # by default it does nothing if no shell could continue the process
        self._turn += 1
        os.kill(0, signal.SIGTSTP)
        time.sleep(STOPS_SECONDS)
        loop.add_signal_handler(signal.SIGTSTP, self.stop)
        loop.call_later(UNHEARD_SECONDS, self._unheard, self._turn)

    def leave(self) -> None:
        """Prepare the end of the process: do not change the terminal if another program has it."""
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
        if not self._given_back:  # SIGSTOP left no time to do this
            self._driver.suspend_application_mode()
        self.away = self._given_back = False
        self._driver.resume_application_mode()
        self._back(stopped)

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._driver.fileno) == os.getpgrp()
        except OSError:  # the terminal is gone
            return False
