"""A study: many recordings analyzed, summed up, and compared with human coders."""
