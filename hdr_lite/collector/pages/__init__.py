"""What a browser shows, made here: pages are whole without a script of theirs.

- ``words``     numbers, times and hostile text as people read them
- ``evidence``  an alert's evidence, in words
- ``chart``     the time chart, as SVG
- ``render``    templates, the headers of every page, static files
- ``reports``   overview, alerts, attackers, blocks
- ``fleet``     devices and their enrolment
- ``people``    login, users, keys, audit
- ``door``      what comes in by a form, and what a refusal looks like
- ``routes``    all of them, as the application takes them
"""
