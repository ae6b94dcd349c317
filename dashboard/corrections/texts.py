"""Texts of the page on which people correct a page. Their translations are in the catalogues."""

from collections.abc import Mapping

PAGE_TEXTS: Mapping[str, str] = {
    "page": "Page {number} of {total}",
    "picture": "Page {number} as it was sent in",
    "text": "Text as it was read",
    "doubtful": "This page was read doubtfully.",
    "fine": "A person found this page to be right.",
    "words_left": "{count} doubtful words",
    "word_left": "1 doubtful word",
    "none_left": "No doubtful word is left.",
    "unread": "This page was not read:",
    "again": "This page is being read again. Until that is done it takes no change.",
    "sure": "{word}, doubtful, {sure} % sure",
    "word": "{word}",
    "edit_line": "Edit this line",
    "save": "Save",
    "approve": "Right as it is",
    "disapprove": "Take that back",
    "help": "Tab goes to the next doubtful word, Enter saves it, or confirms it as it is. Click any other word, or the pencil "
    "of a line, to change it; Delete in an empty field takes the word off the page.",
    "saved": "Saved. The document's files follow.",
    "following": "Saved. The document's files follow by a job, as it is a long one.",
    "now": "There now:",
    "typed": "You typed:",
    "next": "Next doubtful page",
    "left_out": "{count} more words are not shown; the whole text is in text.txt.",
    "left_out_one": "One more word is not shown; the whole text is in text.txt.",
    "by": "Last changed by {by}.",
    "link": "Your document",
    "all_done": "All doubtful pages of this document are done. Thank you.",
    "pages": "Doubtful pages",
    "done": "done",
    "lost": "No answer at the moment. What you typed is still here: press Enter again.",
    "other": "Auf Deutsch",
}
