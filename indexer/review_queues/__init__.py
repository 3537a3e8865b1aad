"""What editors look through: answers and pages of a generation that are likely to be wrong, worst first.

    finding.py    pages of a generation -> items
    odd_pages.py  pages that lost more or less than the others of their site
    item_file.py  the items of one generation, in a file of the cache;  making.py makes it, as a job
    marks.py      what an editor has looked through
    open_items.py items less what was looked through or taken down

The lists are derived from a generation's pages, so they lie in the cache, by the generation's name and fingerprint:
they are made once, when they are first wanted, by a process of their own. As a file of the generation they would be
made by every build, wanted or not, could not be had for generations that are there already, and a better rule for
what is odd would ask for a new index.
"""
