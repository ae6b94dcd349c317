"""Thumbnails in the storage: under the document's content hash, so that what is there is there for every equal one."""
