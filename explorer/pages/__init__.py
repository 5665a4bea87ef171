"""Pictures of one answer each, which is no field of labelled values: the overview, a sentence, the store and others."""
