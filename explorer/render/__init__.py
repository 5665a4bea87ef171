"""Draw numbers as rows of coloured text cells: line charts, heat maps, tables, printers. No screen, no store."""
