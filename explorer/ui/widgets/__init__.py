"""The widgets of the screen. They get their data from the app and open no files."""
