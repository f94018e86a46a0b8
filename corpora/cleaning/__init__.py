"""What makes a story fit for a corpus: normalisation, identification of languages, filters."""
