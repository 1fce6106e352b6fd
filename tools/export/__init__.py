"""Moments as files: clips, a reel, tables, captions, chapters, and lists for editing programs.

Every format is made from the same cuts (`tools.export.cuts`): spans set on the frames of their
films once, so that all files of an export name the same frames.
"""
