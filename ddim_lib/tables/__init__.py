"""The wing where the book's tables are measured.

measure     what one cell is: a few samples, a few numbers
plans       which cells each table has
store       finished cells as CSV, each with its provenance
compare     is one setting better than another?
__main__    `python -m ddim_lib.tables digits`
"""
