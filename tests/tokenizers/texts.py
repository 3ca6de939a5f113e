"""Texts for the properties of tokenizers."""

from hypothesis import strategies as st

any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates and unassigned code points too

repetitive_text = st.one_of(
    st.text("ab", max_size=60),
    st.text("ab c'st1\n", max_size=60),
    st.text("aé€😀 \ud800\udc00", max_size=40),
)
"""Few characters, so that pairs recur, tie and overlap; characters of one to four bytes."""
