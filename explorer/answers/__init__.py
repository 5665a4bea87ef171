"""Answer questions from a store: rows of values, and the texts, attentions and logs that stand beside them."""
