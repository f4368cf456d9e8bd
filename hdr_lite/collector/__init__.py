"""The collector: what devices report is kept, shown and handed on.

- ``store``     what is kept, as types, and the protocol that each storage implements
- ``sqlite``    the storage of one machine
- ``ingest``    /v1/*: enrolment, batches, rotation
- ``api``       /api/*: REST, with its OpenAPI document at /api/schema
- ``accounts``  who may: users, roles, sessions, bearer keys, audit
- ``app``       the ASGI application from a store and settings
- ``pages``     what a browser shows
"""
