"""Reading the text of documents. Everything here runs in a child of the CPU pool unless its docstring says otherwise.

`document` opens a file, `textlayer` and `render` take a page from it, `engines` read a picture, `order` and `text` put
words into reading order and into lines, and `page` is the whole of it for one page.
"""
