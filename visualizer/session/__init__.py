"""What the user is doing, without Qt: the document, its edits, the selection, and what is evaluated."""
