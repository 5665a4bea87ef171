"""The part of the main screen that computes: what is shown and missing, one job after the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer.ui.messages import Ended, Loaded, Progress
from explorer.ui.screens.keeping import Keeping

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.selection import Question

CALM_SECONDS = 0.4
"""How long a selection must stand before it is computed: who cycles through measures starts no job for each."""


class Computing(Keeping):
    """A heart that computes."""

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__(path, palette)
        self._declined: set[Question] = set()
        """Selections that were cancelled or could not be computed: only `c` starts them again."""
        self._tried: set[Question] = set()
        """Selections computed with the checkpoints there are: what is still missing of them will not come."""

    def on_loaded(self, message: Loaded) -> None:
        chosen = message.wish.question
        if message.missing and chosen is not None:
            self.set_timer(CALM_SECONDS, lambda: self._compute_if_still(chosen))

    def _compute_if_still(self, question: Question) -> None:
        # The picture's before that of the view beside it, which would take its place in the queue.
        turn = [s for s in self.lacking if s not in self._declined | self._tried]
        if self.computes and turn[:1] == [question] and question != self.jobs.question:
            self.jobs.start(question)
            self.bars()

    def on_progress(self, message: Progress) -> None:
        self.progress = message
        if self.state.mode == "jobs":
            self.own_view()
        self.bars()

    def on_ended(self, message: Ended) -> None:
        self.progress = None
        if message.how == "cancelled" or message.reason:
            self._declined.add(message.question)
        if message.how != "replaced":
            self._tried.add(message.question)
        if message.how == "cancelled":
            self.pane.word = f"Cancelled; what was finished is kept. {self.key_of('compute')} goes on."
        elif message.reason:
            self.pane.word = f"Not computed: {message.reason}"
        self.reader.look_again()
        if self.state.mode == "jobs":
            self.own_view()
        self.bars()

    def action_compute(self) -> None:
        """Compute what is missing."""
        if not self.lacking:
            self.tell("Everything shown is computed." if self.question else "Nothing to compute.")
            return
        question = self.lacking[0]
        self._declined.discard(question)
        self._tried.discard(question)
        self.jobs.start(question, asked=True)
        self.bars()

    def action_cancel_job(self) -> None:
        """Stop the job (in Jobs the one that is pointed at); what it has finished stays."""
        number = None
        if self.state.mode == "jobs" and self.picture is not None and (jobs := self.jobs.listed()):
            number = jobs[min(self.picture.cursor.y, len(jobs) - 1)].number
        self.tell("Cancelling …" if self.jobs.cancel(number) else "Nothing is being computed.")
