"""Models that look at pictures: what is kept of a stream's pictures, who is asked when, on which thread."""
