"""One Reticulum node, driven from outside: a JSON question per line comes in, a JSON answer per line goes out.

reticulum.py CONFIG_FOLDER: the node starts with the configuration there. Only what a program that uses Reticulum calls
is called here, and the raw frames of its TCP interface, to see what its relay and its receiver do by themselves.
"""

import json
import os
import resource
import socket
import sys
import threading
import time

started = time.perf_counter()
if sys.argv[1:] == ["--only-import"]:
    import RNS

    print(json.dumps({"version": RNS.__version__}), flush=True)
    sys.stdin.read()
    os._exit(0)

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import RNS
from RNS.Interfaces.TCPInterface import HDLC

RNS.Reticulum(sys.argv[1])
APP = "bench"
PEER_TIMEOUT_S = 30
FULL_FRAME = 400
# Frames on their way at once, where the receiver tells what it got, and how often it does.
WINDOW = 400
REPORTED_EVERY = 32
LOST_AFTER_S = 0.2


class Node:
    def __init__(self):
        self.count = 0
        self.bytes = 0
        self.first = 0.0
        self.last = 0.0
        self.own = None
        self.destination = None
        self.link = None
        self.frames = []
        self.reports = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.announces = []

    # Receiving

    def heard(self, data, _packet):
        now = time.perf_counter()
        if self.count == 0:
            self.first = now
        self.count += 1
        self.bytes += len(data)
        self.last = now

    def listen(self):
        identity = RNS.Identity()
        self.own = RNS.Destination(identity, RNS.Destination.IN, RNS.Destination.SINGLE, APP, "net")
        self.own.set_packet_callback(self.heard)

        def established(link):
            link.set_packet_callback(self.heard)
            link.set_resource_strategy(RNS.Link.ACCEPT_ALL)

        self.own.set_link_established_callback(established)
        return {"hash": self.own.hash.hex()}

    def announce(self):
        self.own.announce()
        return {}

    def reset(self):
        self.count = self.bytes = 0
        self.first = self.last = 0.0
        return {"cpuSeconds": cpu_seconds()}

    def stat(self):
        return {
            "count": self.count,
            "bytes": self.bytes,
            "seconds": self.last - self.first,
            "cpuSeconds": cpu_seconds(),
        }

    def count_frames(self, port):
        """From now on, full frames are only counted as they arrive, and who sends them is told: then the relay before
        this node is the limit."""
        back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        interface = tcp_interface()
        take = interface.process_incoming

        def count(data):
            # Keepalives are answered as ever, or the link would die between two rounds.
            if len(data) < FULL_FRAME:
                take(data)
                return
            self.heard(data, None)
            if self.count % REPORTED_EVERY == 0:
                back.sendto(b"%d" % self.count, ("127.0.0.1", port))

        interface.process_incoming = count
        return {}

    def memory(self):
        with open("/proc/self/statm") as f:
            return {"bytes": int(f.read().split()[1]) * resource.getpagesize()}

    # Sending

    def connect(self, hash):
        """Finds the path and makes the destination; the seconds are from the start of the process."""
        target = bytes.fromhex(hash)
        deadline = time.perf_counter() + PEER_TIMEOUT_S
        asked = 0.0
        while not RNS.Transport.has_path(target):
            now = time.perf_counter()
            if now > deadline:
                raise RuntimeError("no path")
            if now - asked > 0.5:
                RNS.Transport.request_path(target)
                asked = now
            time.sleep(0.002)
        found = time.perf_counter()
        identity = RNS.Identity.recall(target)
        self.destination = RNS.Destination(identity, RNS.Destination.OUT, RNS.Destination.SINGLE, APP, "net")
        return {"seconds": found - started, "hops": RNS.Transport.hops_to(target)}

    def open_link(self):
        up = threading.Event()
        self.link = RNS.Link(self.destination, established_callback=lambda _link: up.set())
        if not up.wait(PEER_TIMEOUT_S):
            raise RuntimeError("no link")
        return {"mdu": self.link.mdu, "mtu": self.link.mtu}

    def send_packets(self, count, size):
        """Single packets, each sealed to the destination with a key of its own."""
        data = os.urandom(size)
        for _ in range(count):
            RNS.Packet(self.destination, data, create_receipt=False).send()
        return {}

    def make_frames(self, count):
        """Link packets as they go over the wire, kept until they are sent again and again."""
        interface = tcp_interface()
        keep = interface.process_outgoing
        raws = []
        interface.process_outgoing = lambda data: raws.append(bytes(data))
        data = os.urandom(self.link.mdu)
        try:
            for _ in range(count):
                RNS.Packet(self.link, data, create_receipt=False).send()
        finally:
            interface.process_outgoing = keep
        flag = bytes([HDLC.FLAG])
        self.frames = [flag + HDLC.escape(raw) + flag for raw in raws]
        return {"size": len(raws[0])}

    def report_port(self):
        self.reports.bind(("127.0.0.1", 0))
        self.reports.settimeout(LOST_AFTER_S)
        return {"port": self.reports.getsockname()[1]}

    def send_frames(self):
        """As fast as they are taken."""
        connection = tcp_interface().socket
        for at in range(0, len(self.frames), REPORTED_EVERY):
            connection.sendall(b"".join(self.frames[at : at + REPORTED_EVERY]))
        return {"count": len(self.frames)}

    def send_frames_windowed(self):
        """No more than WINDOW of them on their way: a relay that is flooded loses some, and so would look slow."""
        connection = tcp_interface().socket
        got = lost = 0
        for at in range(0, len(self.frames), REPORTED_EVERY):
            connection.sendall(b"".join(self.frames[at : at + REPORTED_EVERY]))
            while at - got - lost > WINDOW:
                try:
                    got = int(self.reports.recv(64))
                except TimeoutError:
                    lost = at - got
        return {"count": len(self.frames), "lost": lost}

    def transfer(self, bytes):
        data = os.urandom(bytes)
        done = threading.Event()
        began = time.perf_counter()
        res = RNS.Resource(data, self.link, auto_compress=False, callback=lambda _resource: done.set())
        if not done.wait(PEER_TIMEOUT_S) or res.status != RNS.Resource.COMPLETE:
            raise RuntimeError("the resource was not transferred")
        return {"seconds": time.perf_counter() - began}

    # By itself

    def validate_announces(self, count):
        if not self.announces:
            for number in range(400):
                own = RNS.Destination(RNS.Identity(), RNS.Destination.IN, RNS.Destination.SINGLE, APP, "announce")
                packet = own.announce(app_data=b"node %d" % number, send=False)
                packet.pack()
                self.announces.append(packet.raw)
                RNS.Transport.deregister_destination(own)
        began = time.perf_counter()
        for number in range(count):
            packet = RNS.Packet(None, self.announces[number % len(self.announces)])
            packet.unpack()
            if not RNS.Identity.validate_announce(packet):
                raise RuntimeError("a good announce was refused")
        return {"seconds": time.perf_counter() - began}


def tcp_interface():
    return [interface for interface in RNS.Transport.interfaces if hasattr(interface, "socket")][0]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def answer(**values):
    OUT.write(json.dumps(values) + "\n")
    OUT.flush()


node = Node()
answer(version=RNS.__version__, seconds=time.perf_counter() - started)
for line in sys.stdin:
    question = json.loads(line)
    name = question.pop("question")
    try:
        answer(**getattr(node, name)(**question))
    except Exception as error:  # The other side decides what becomes of the run.
        answer(error="%s: %s" % (type(error).__name__, error))
os._exit(0)
