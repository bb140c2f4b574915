"""/m/TOKEN: pages for whoever was sent a link to a message. The link is all that says who they are.

`pages` has the addresses: the first shows nothing and changes nothing, because mail scanners follow links; what does is
behind a button, and of what is confidential behind a PIN or a code (`opening`). `rendering` makes pages of
`templates/`, without scripts, cookies or anything from elsewhere; `words` are what they say, in French and in English.
"""
