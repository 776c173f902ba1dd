"""What a study says: tables, figures, verdicts, one page."""
