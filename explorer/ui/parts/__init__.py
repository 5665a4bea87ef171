"""The parts of the main screen: objects that each have one concern and their own state."""
