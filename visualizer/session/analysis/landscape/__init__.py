"""The picture of the whole pass: token by row, station by column."""
