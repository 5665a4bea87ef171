"""A small real store made on the spot: generated language, a tiny BERT fine-tuned here and now, measures computed."""
