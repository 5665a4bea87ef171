"""The part of the main screen that has work done: what is shown and missing, and what is asked for, one job each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.ui.annotating import HINT, annotate_request
from explorer.ui.messages import Ended, Loaded, Progress
from explorer.ui.screens.keeping import Keeping
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.compute.requests import Request
    from explorer.render.palette import Palette
    from explorer.selection import Question

ANNOTATE = "labels from"
"""What the prompt asks for when labels are added."""
CALM_SECONDS = 0.4
"""How long a selection must stand before it is computed: who cycles through measures starts no job for each."""


class Computing(Keeping):
    """A heart that computes."""

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__(path, palette)
        self._declined: set[Request] = set()
        """What was cancelled or could not be done: only `c` starts computing it again."""
        self._tried: set[Request] = set()
        """Done with the checkpoints there are: what is still missing of them will not come."""

    def on_loaded(self, message: Loaded) -> None:
        chosen = message.wish.question
        if message.missing and chosen is not None:
            self.set_timer(CALM_SECONDS, lambda: self._compute_if_still(chosen))

    def _compute_if_still(self, question: Question) -> None:
        # The picture's before that of the view beside it, which would take its place in the queue.
        turn = [s for s in self.lacking if Compute(s.selection) not in self._declined | self._tried]
        if self.computes and turn[:1] == [question] and (request := Compute(question.selection)) != self.jobs.request:
            self.jobs.start(request)
            self.bars()

    def on_progress(self, message: Progress) -> None:
        self.progress = message
        if self.state.mode == "jobs":
            self.own_view()
        self.bars()

    def on_ended(self, message: Ended) -> None:
        self.progress = None
        if message.how == "cancelled" or message.reason:
            self._declined.add(message.request)
        if message.how != "replaced":
            self._tried.add(message.request)
        if message.how == "cancelled":
            self.pane.word = f"Cancelled; what was finished is kept. {self.key_of('compute')} goes on."
        elif message.reason:
            self.pane.word = f"{message.request.undone}: {message.reason}"
        elif message.said:
            self.pane.word = message.said[0] + (f" (and {len(message.said) - 1} more)" if message.said[1:] else "")
        self.reader.look_again()
        if self.state.mode == "jobs":
            self.own_view()
        self.bars()

    def action_compute(self) -> None:
        """Compute what is missing."""
        if not self.lacking:
            self.tell("Everything shown is computed." if self.question else "Nothing to compute.")
            return
        request = Compute(self.lacking[0].selection)
        self._declined.discard(request)
        self._tried.discard(request)
        self.jobs.start(request, asked=True)
        self.bars()

    def action_annotate(self) -> None:
        """Ask for a file with labels for the corpus that is shown."""
        self.prompt.ask(ANNOTATE, "", HINT)

    def annotate(self, typed: str) -> None:
        """Add labels to the corpus that is shown; what is typed is as on the command line."""
        try:
            request = annotate_request(self.state.corpus, typed)
        except BertdynError as error:
            self.tell(self.words_of(error))
            return
        self.jobs.start(request, asked=True)
        self.tell(f"Adding labels of {request.subject}; {self.key_of('mode.jobs')} shows how far it is.")

    def action_cancel_job(self) -> None:
        """Stop the job (in Jobs the one that is pointed at); what it has finished stays."""
        number = None
        if self.state.mode == "jobs" and self.picture is not None and (jobs := self.jobs.listed()):
            number = jobs[min(self.picture.cursor.y, len(jobs) - 1)].number
        self.tell("Cancelling …" if self.jobs.cancel(number) else "No job is running.")
