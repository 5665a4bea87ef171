"""One module a view: the stored values of a selection in, a picture with title, axes and readings out."""
