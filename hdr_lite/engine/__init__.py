"""From records to alerts: the unprivileged process behind the ring.

In the order the data flows: ``process`` (the loop), ``bus`` (who reads what), ``scheduler``
and ``turn`` (whose turn it is, and one turn), ``profiles`` and ``windows`` (who and when),
``scoring`` and ``alerting`` (findings to evidence to alerts), ``output`` (what every output is).
``loader`` finds the modules.

How it is wired (``cli`` does it)::

    engine = Engine(config, replay=True)          # before the fork: finds modules, calls init()
    engine.wanted                                 # bit per Kind, for the sensor's meter
    status = engine.run(reader, outputs, link)    # in the engine process: exit status 0 or 1
"""
