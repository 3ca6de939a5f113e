"""What is worked out from a result: lens, explanation, behaviour, flips, token probabilities."""
