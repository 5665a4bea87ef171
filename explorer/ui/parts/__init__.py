"""The parts of the main screen: objects with one concern and their own state each."""
