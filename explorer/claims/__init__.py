"""Test the claims of four papers on a store: a claim is declared once, and judged from stored rows without I/O."""
