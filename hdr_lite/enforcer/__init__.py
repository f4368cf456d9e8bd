"""The enforcer: the only process that touches nftables and conntrack.

``process`` is the loop; ``orders`` judges each order with ``never_block`` (who may not be
touched), ``welcome`` (who is logged in) and ``holdings`` (what is held, in the bounded tables of
``blocks``); who is accused of false ARP claims is asked first, by ``prober`` as ``trial`` says.
``enforcer`` carries out what came of it with ``ruleset`` (our tables as text), ``nft``
(libnftables), ``cut`` (conntrack) and ``state`` (what outlives it). ``monitor`` hears who else
changes our tables, ``addresses`` gathers the facts, both over ``netlink``; ``leases`` reads of
servers in files, ``sessions`` of who is logged in; ``names`` resolves those that facts and the
allow list contain; ``target`` is whom an order may name. ``armed`` keeps a person's choice of
mode, ``interfaces`` the right to block on them.
"""

from hdr_lite.enforcer.process import run_enforcer

__all__ = ["run_enforcer"]
