"""Corpora on the Hub: the card, the ledger of licences, and what may be published."""
