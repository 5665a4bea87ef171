"""The error for mistakes of the user. Any other exception is a bug of ours and keeps its traceback."""


class BertdynError(Exception):
    """Bad input, in one or two sentences: what happened, where, what to do. The command line exits with code 2."""


class ForbiddenError(BertdynError):
    """This user may not read a folder or file of a store. Listings leave it out, and ``check`` names it."""
