"""Everything that knows how Textual and terminals work inside: the only folder that uses Textual's private names."""
