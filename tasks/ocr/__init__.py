"""Reading the text of documents. Everything here runs in a child of the CPU pool unless its docstring says otherwise.

`document` opens a file, `textlayer` and `render` take a page from it, `engines` read a picture, `order` and `text` put
words into reading order and into lines, and `page` is the whole of it for one page.
"""

import sys

# OpenVINO's converter would report its use to a server of its maker's, over a file in the user's home. Without that package
# it takes a stand-in of its own.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: it cannot be imported
