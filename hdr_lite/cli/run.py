"""Turn the traffic of interfaces, or of a capture file, into alerts.

A capture file is read to its end, and the same file always gives the same output. An
interface is watched until Ctrl-C or SIGTERM. Alerts are printed as they are raised; the
output directory holds them all:

  alerts.log     a line per evidence and per alert, for a person
  alerts.json    the same as IDMEFv2, a JSON object a line
  evidence.jsonl evidence with its reasons, a JSON object a line
  flows.jsonl    flows, with --flows
  errors.log, hdr-lite.log, summary.json

examples:
  hdr-lite run -f office.pcap -o out
  hdr-lite run -i eth0 -F 'not port 22' --disable arp
  hdr-lite run -i br-lan -P inside -o /tmp/inside   one of several that run side by side
"""
