from slips_files.common.imports import *
import datetime
import ipaddress
import json


class Module(Module, multiprocessing.Process):
    name = 'local_connection_detector'
    description = 'detects connections to other devices in your local network'
    authors = ['Template Author']

    def init(self):
        # To which channels do you wnat to subscribe? When a message
        # arrives on the channel the module will wakeup
        # The options change, so the last list is on the
        # slips/core/redis_database.py file. However common options are:
        # - new_ip
        # - tw_modified
        # - evidence_added
        # Remember to subscribe to this channel in redis_db/database.py
        self.c1 = self.db.subscribe('new_flow')
        self.channels = {
            'new_flow': self.c1,
            }

    def shutdown_gracefully(self):
        self.db.publish('finished_modules', self.name)

    def pre_main(self):
        """
        Initializations that run only once before the main() function runs in a loop
        """
        utils.drop_root_privs()

    def main(self):
        """Main loop function"""
        if msg := self.get_msg('new_flow'):
            msg = msg['data']
            msg = json.loads(msg)
            flow = json.loads(msg['flow'])
            uid = next(iter(flow))
            flow = json.loads(flow[uid])
            saddr = flow['saddr']
            daddr = flow['daddr']
            srcip_obj = ipaddress.ip_address(saddr)
            dstip_obj = ipaddress.ip_address(daddr)
            if srcip_obj.is_private and dstip_obj.is_private:
                confidence = 0.8
                threat_level = 'high'
                evidence_type = 'ConnectionToLocalDevice'
                category = 'Anomaly.Connection'
                attacker_direction = 'srcip'
                attacker = saddr
                description = f'Detected a connection to a local device {daddr}'
                timestamp = datetime.datetime.now().strftime('%Y/%m/%d-%H:%M:%S')
                profileid = msg['profileid']
                twid = msg['twid']

                self.db.setEvidence(
                    evidence_type, attacker_direction, attacker, threat_level,
                    confidence, description, timestamp, category, profileid=profileid,
                    twid=twid
                    )
