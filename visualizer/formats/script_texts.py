"""The parts of a standalone script that are the same for every model."""

HEADER = """The forward pass of {name}, operation by operation, in NumPy alone.

Prints the logits of every position, then the most probable next tokens. With the name of a file, it also saves the
logits there: python SCRIPT.py logits.npy

T is the number of positions; shapes and axes stand in brackets. A variable is named as the activation or the
parameter that it holds, with _ in place of dots.
{more}"""

SOFTMAX = '''

def softmax(x):
    """e^(x − max) / Σ e^(x − max) over the last axis; a row that is all −inf is uniform."""
    top = x.max(axis=-1, keepdims=True)
    weights = np.where(top == -np.inf, dtype(1), np.exp(x - np.where(top == -np.inf, dtype(0), top)))
    return weights / weights.sum(axis=-1, keepdims=True)


def causal_softmax(scores):
    """Softmax of scores [head, query, key] over the keys that each query can see; the others get exactly 0."""
    shown = np.where(visible, scores, dtype(-np.inf))
    top = shown.max(axis=-1, keepdims=True)
    weights = np.where(top == -np.inf, visible, np.exp(shown - np.where(top == -np.inf, dtype(0), top)))
    return np.where(visible, weights / weights.sum(axis=-1, keepdims=True), dtype(0)).astype(dtype)

'''

ERF = """

erf = np.vectorize(math.erf, otypes=[dtype])
"""

PRINT = '''

# -- print


def text(token):
    """A token's id and, where it is known, its text."""
    return f"{token} {TEXTS[token]!r}" if token in TEXTS else str(token)


sys.stdout.reconfigure(errors="backslashreplace")  # a screen that lacks a token's letters shows their codes
if logits.size <= 20000:
    for position, row in enumerate(logits):
        print(f"logits[{position}] after {text(int(tokens[position]))}:", *map(str, row))
else:
    for position, row in enumerate(logits):
        largest = np.argsort(-row, kind="stable")[:10].tolist()
        print(f"largest of logits[{position}] after {text(int(tokens[position]))}:")
        print("   ", ", ".join(f"{text(token)}: {row[token]}" for token in largest))
print("next token, the most probable first:")
for token in np.argsort(-probs[-1], kind="stable")[:10].tolist():
    print(f"    {text(token)}: probability {probs[-1, token]}, logit {logits[-1, token]}")
if len(sys.argv) > 1:
    np.save(sys.argv[1], logits)
    print(f"saved {list(logits.shape)} logits in {sys.argv[1]}")
'''
