"""What a device tells its collector: kept on storage until it is acknowledged, then sent.

``spool`` is written by the engine and read here; ``process`` is the process that sleeps until
there is something to send, ``sender`` the one that it forks for a round, ``channel`` their
connection and ``protocol`` what they say; ``enrolment`` is whom the device reports to.
"""
