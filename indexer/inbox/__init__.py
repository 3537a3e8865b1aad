"""The editors' inbox: pages that come in, are looked at, and join the next build.

names.py       names of uploaded files: decoded, and refused where they could lead elsewhere
unpack.py      uploads -> files of a folder, bounded while they are read; zips.py: the members of a ZIP
adding.py      uploads -> a batch, or nothing (what is known of batches: store/batches.py)
inspecting.py  the task that cleans a batch and tells what became of each page; known.py: pages that are there already
listing.py     what the lists of a batch's pages show
deciding.py    taken in, discarded, pages left out
page_view.py   one page as it is now; inert.py: its original, made safe to show
"""
