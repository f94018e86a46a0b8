"""Opening any tokenizer behind one interface."""
