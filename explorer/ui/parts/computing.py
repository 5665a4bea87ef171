"""Starting jobs: for missing values of the views shown, and for requests of the user."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.ui.annotating import HINT, annotate_request
from explorer.ui.parts.screen_part import ScreenPart
from explorer.views.kinds import VIEWS
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.timer import Timer

    from explorer.compute.requests import Request
    from explorer.selection import Question
    from explorer.ui.messages import Ended, Loaded, Progress
    from explorer.ui.screens.main import MainScreen

ANNOTATE = "labels from"
"""Label of the prompt for a file with labels."""
CALM_SECONDS = 0.4
"""Time that a selection must stay before it is computed, so that cycling through measures does not start a job for
each."""
LEFT_SECONDS = 10.0
"""Time that complete pictures must be shown before a job that was started by itself for another picture ends."""


class Computing(ScreenPart):
    """Starts jobs, automatically or by key, and shows their progress."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.by_itself = True
        """Whether missing values of the views shown are computed without a key."""
        self._progress: dict[Request | None, Progress] = {}
        self._declined: set[Request] = set()
        """Requests that were cancelled or failed; only the compute key starts them again."""
        self._tried: set[Request] = set()
        """Requests done with the present checkpoints; values that are still missing cannot be computed."""
        self.clock: Callable[[], float] = time.monotonic
        """Seconds of a clock that never goes back."""
        self._began: dict[Request | None, float] = {}
        """When the first progress of each job was heard."""
        self._paces: dict[Hashable, float] = {}
        """Seconds a value took in the last finished job, by the kind of values."""
        self._announced = ""
        """Message about the jobs that were started last."""
        self._leaving: Timer | None = None
        """Runs while the job is for a picture that was left."""

    def listed(self) -> None:
        """React to a new listing of the store: checkpoints were added or removed, so try all requests again."""
        self._tried.clear()

    def loaded(self, message: Loaded) -> None:
        """Compute the missing values of a view if it is still shown after CALM_SECONDS; end the job of a picture that
        was left if complete ones are shown for LEFT_SECONDS."""
        question = message.wish.question
        if message.missing and question is not None and not VIEWS[message.wish.view].on_request:
            self.screen.set_timer(CALM_SECONDS, lambda: self._start_if_still(question))
        if self._leaving is not None and self.screen.jobs.request in self._shown:
            self._leaving.stop()
            self._leaving = None
        elif self._leaving is None and self._complete:
            self._leaving = self.screen.set_timer(LEFT_SECONDS, self._leave)

    @property
    def _shown(self) -> list[Request]:
        """Requests for the values of the pictures on the screen."""
        questions = (pane.wish.question for pane in self.screen.panes if pane.wish is not None)
        return [Compute(question.selection) for question in questions if question is not None]

    @property
    def _turn(self) -> list[Request]:
        """Requests for missing values on the screen that can be computed, those of the picture first."""
        lacking = (Compute(question.selection) for question in self.screen.pictures.lacking)
        return [request for request in lacking if request not in self._declined | self._tried]

    @property
    def _complete(self) -> bool:
        """Whether pictures of values are on the screen, and lack none that can be computed."""
        return bool(self._shown) and not self._turn and not any(pane.waiting for pane in self.screen.panes)

    def _leave(self) -> None:
        self._leaving = None
        if self._complete:
            self.screen.jobs.leave(self._shown)

    def _start_if_still(self, question: Question) -> None:
        request = Compute(question.selection)
        if self.by_itself and self._turn[:1] == [request] and request != self.screen.jobs.request:
            self.screen.jobs.start(request)
            self.screen.bars()

    @property
    def progress(self) -> Progress | None:
        """Progress of the job that the title names; None before it is known."""
        return self._progress.get(self.screen.jobs.request)

    def progressed(self, message: Progress) -> None:
        """Show the progress of the job."""
        self._progress[message.request] = message
        self._began.setdefault(message.request, self.clock())
        self.screen.pictures.job_changed()
        self.screen.mode.job_changed()
        self.screen.bars()

    def ended(self, message: Ended) -> None:
        """Tell the user how the job ended, and read the store again."""
        last, began = self._progress.pop(message.request, None), self._began.pop(message.request, None)
        request = message.request
        if (
            isinstance(request, Compute)
            and message.how == "done"
            and not message.reason
            and last
            and last.total
            and began
        ):
            self._paces[_kind(request)] = (self.clock() - began) / last.total
        if message.how == "cancelled" or message.reason:
            self._declined.add(message.request)
        if message.how in ("done", "cancelled"):
            self._tried.add(message.request)
        if message.how == "cancelled":
            kept = message.request.kept.format(compute=self.screen.key_of("compute"))
            self.screen.tell(f"Cancelled; {kept}.")
        elif message.reason:
            self.screen.tell(f"{message.request.undone}: {message.reason}")
        elif self._announced and self.screen.pane.word == self._announced and self.screen.jobs.request is None:
            self.screen.tell("Computed.")
        elif message.said:
            more = f" (and {len(message.said) - 1} more)" if message.said[1:] else ""
            self.screen.tell(message.said[0] + more)
        self.screen.reader.look_again()
        self.screen.pictures.job_changed()
        self.screen.mode.job_changed()
        self.screen.bars()

    def price(self, request: Compute, values: int) -> str:
        """Return what a request costs: its values and, if such values were computed in this visit, about how long."""
        from explorer.ui.lists.jobs import lasting

        pace = self._paces.get(_kind(request))
        return f"{values:,} values" + (f", about {lasting(max(1.0, pace * values))}" if pace is not None else "")

    def compute(self) -> None:
        """Compute the missing values."""
        lacking = self.screen.pictures.lacking
        if not lacking:
            self.screen.tell("Everything shown is computed." if self.screen.question else "Nothing to compute.")
            return
        self.begin(Compute(lacking[0].selection))

    def begin(self, request: Request) -> None:
        """Start a job that the user asked for."""
        self._declined.discard(request)
        self._tried.discard(request)
        self.screen.jobs.start(request, asked=True)
        self.screen.bars()

    def announce(self, word: str) -> None:
        """Say what was started, until it has ended."""
        self._announced = word
        self.screen.tell(word)

    def annotate(self) -> None:
        """Ask for a file with labels for the corpus that is shown."""
        self.screen.prompt.ask(ANNOTATE, "", HINT)

    def answered(self, typed: str) -> None:
        """Add labels to the corpus that is shown; the typed text has the options of `bertdyn annotate`."""
        screen = self.screen
        screen.set_focus(screen.chart)
        try:
            request = annotate_request(screen.state.corpus, typed)
        except BertdynError as error:
            screen.tell(screen.words_of(error))
            return
        screen.jobs.start(request, asked=True)
        screen.tell(f"Adding labels of {request.subject}; {screen.key_of('mode.jobs')} shows the progress.")

    def cancel(self, number: int | None = None) -> None:
        """Stop a job (None: the running job); its finished values are kept."""
        nothing = "No job is running." if number is None else "This job has ended: nothing to cancel."
        self.screen.tell("Cancelling …" if self.screen.jobs.cancel(number) else nothing)


def _kind(request: Compute) -> Hashable:
    """Return what decides how long one value takes."""
    asked = request.selection
    return asked.measure, asked.corpus, asked.annotation, asked.parameters, request.trust
