"""Pictures of answers that are not fields of labelled values: the overview, a sentence, the store and others."""
