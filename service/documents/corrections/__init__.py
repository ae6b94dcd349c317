"""Corrections of pages by people: rows by the document's bytes, and the files of its newest reading that follow them."""
