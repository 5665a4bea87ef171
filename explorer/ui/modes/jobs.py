"""Jobs: the list of running, waiting and ended jobs."""

from __future__ import annotations

from explorer.ui.modes.mode import Behaviour, Mode, own_list


class JobListing(Behaviour):
    """Draws the list of jobs; the cancel key stops the job under the cursor."""

    def show(self) -> None:
        """Draw the queue."""
        from explorer.ui.lists.jobs import JobList, Jobs

        self.screen.pane.draw(Jobs(JobList(self.screen.jobs.listed())), self.screen.state)

    def job_changed(self) -> None:
        """Draw the list again."""
        self.show()

    def cancel(self) -> None:
        """Stop the job under the cursor."""
        jobs, picture = self.screen.jobs.listed(), self.screen.picture
        pointed = jobs and picture is not None
        self.screen.computing.cancel(jobs[min(picture.cursor.y, len(jobs) - 1)].number if pointed and picture else None)


MODE = Mode(
    "jobs",
    "0",
    "Jobs",
    "jobs that run, wait, or have ended, and why they failed",
    own_list("queue", "jobs"),
    ("cancel",),
    JobListing,
)
