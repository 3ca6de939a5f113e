"""The document: its state, the edits with their inverses, interventions and history."""
