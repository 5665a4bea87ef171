"""What a user can get wrong. Everything else that is raised is a bug of ours and keeps its traceback."""


class BertdynError(Exception):
    """Bad input, in one or two sentences: what happened, where, what to do. The command line exits with code 2."""
