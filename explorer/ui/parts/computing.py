"""Starting jobs: the missing values of shown views, and requests of the user, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.ui.annotating import HINT, annotate_request
from explorer.ui.parts.screen_part import ScreenPart
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.compute.requests import Request
    from explorer.selection import Question
    from explorer.ui.messages import Ended, Loaded, Progress
    from explorer.ui.screens.main import MainScreen

ANNOTATE = "labels from"
"""Label of the prompt for a file with labels."""
CALM_SECONDS = 0.4
"""How long a selection must stand before it is computed: cycling through measures starts no job for each."""


class Computing(ScreenPart):
    """Starts jobs by itself and by key, and follows them."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.by_itself = True
        """Values that are shown and missing are computed without a key."""
        self.progress: Progress | None = None
        self._declined: set[Request] = set()
        """Requests that were cancelled or failed: only the compute key starts them again."""
        self._tried: set[Request] = set()
        """Requests done with the present checkpoints: values that are still missing cannot be computed."""

    def listed(self) -> None:
        """Checkpoints have come or gone: everything may be tried again."""
        self._tried.clear()

    def loaded(self, message: Loaded) -> None:
        """Compute the missing values of a view, if it is still shown in a moment."""
        question = message.wish.question
        if message.missing and question is not None:
            self.screen.set_timer(CALM_SECONDS, lambda: self._start_if_still(question))

    def _start_if_still(self, question: Question) -> None:
        # The picture's question goes before that of the view beside it.
        lacking = [Compute(q.selection) for q in self.screen.pictures.lacking]
        turn, request = [r for r in lacking if r not in self._declined | self._tried], Compute(question.selection)
        if self.by_itself and turn[:1] == [request] and request != self.screen.jobs.request:
            self.screen.jobs.start(request)
            self.screen.bars()

    def progressed(self, message: Progress) -> None:
        """Show how far the job is."""
        self.progress = message
        self.screen.mode.job_changed()
        self.screen.bars()

    def ended(self, message: Ended) -> None:
        """Say how the job ended, and read again."""
        self.progress = None
        if message.how == "cancelled" or message.reason:
            self._declined.add(message.request)
        if message.how != "replaced":
            self._tried.add(message.request)
        if message.how == "cancelled":
            self.screen.tell(f"Cancelled; what was finished is kept. {self.screen.key_of('compute')} goes on.")
        elif message.reason:
            self.screen.tell(f"{message.request.undone}: {message.reason}")
        elif message.said:
            more = f" (and {len(message.said) - 1} more)" if message.said[1:] else ""
            self.screen.tell(message.said[0] + more)
        self.screen.reader.look_again()
        self.screen.mode.job_changed()
        self.screen.bars()

    def compute(self) -> None:
        """Compute the missing values."""
        lacking = self.screen.pictures.lacking
        if not lacking:
            self.screen.tell("Everything shown is computed." if self.screen.question else "Nothing to compute.")
            return
        request = Compute(lacking[0].selection)
        self._declined.discard(request)
        self._tried.discard(request)
        self.screen.jobs.start(request, asked=True)
        self.screen.bars()

    def annotate(self) -> None:
        """Ask for a file with labels for the corpus that is shown."""
        self.screen.prompt.ask(ANNOTATE, "", HINT)

    def answered(self, typed: str) -> None:
        """Add labels to the corpus that is shown; the text has the options of the command line."""
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
        """Stop a job (None: the one that runs); its finished values stay."""
        self.screen.tell("Cancelling …" if self.screen.jobs.cancel(number) else "No job is running.")
