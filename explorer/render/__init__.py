"""Numbers to rows of coloured text cells: line charts, heat maps, tables, and printers for them. No screen, no store."""
