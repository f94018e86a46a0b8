"""What there is to say of a corpus: statistics, and the page that shows corpora side by side."""
