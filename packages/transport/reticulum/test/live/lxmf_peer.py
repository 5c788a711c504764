#!/usr/bin/env python3
"""A live LXMF client for tests, through what the package offers to programs.

lxmf_peer.py --connect HOST:PORT: announces itself, prints each message that comes as a JSON line, and sends what it reads
from standard input: {"to": HEX, "method": "direct"|"opportunistic", "title": TEXT, "content": TEXT}.
"""
import argparse
import json
import os
import sys
import tempfile
import threading
import time

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import LXMF
import RNS

LOCK = threading.Lock()


def emit(event, **fields):
    with LOCK:
        OUT.write(json.dumps({"event": event, **fields}) + "\n")
        OUT.flush()


def text(data):
    return data.decode("utf-8") if isinstance(data, bytes) else data


def received(message):
    emit("message", source=message.source_hash.hex(), title=text(message.title), content=text(message.content),
         validated=bool(message.signature_validated), id=message.hash.hex(), method=message.method)


class Heard:
    aspect_filter = "lxmf.delivery"

    def received_announce(self, destination_hash, announced_identity, app_data):
        emit("heard", destination=destination_hash.hex())


def send(router, source, order):
    target = bytes.fromhex(order["to"])
    deadline = time.time() + 20
    while RNS.Identity.recall(target) is None or not RNS.Transport.has_path(target):
        if time.time() > deadline:
            emit("failed", why="no path")
            return
        RNS.Transport.request_path(target)
        time.sleep(0.5)
    destination = RNS.Destination(RNS.Identity.recall(target), RNS.Destination.OUT, RNS.Destination.SINGLE,
                                  "lxmf", "delivery")
    method = LXMF.LXMessage.DIRECT if order["method"] == "direct" else LXMF.LXMessage.OPPORTUNISTIC
    message = LXMF.LXMessage(destination, source, order["content"], order.get("title", ""), desired_method=method)
    message.register_delivery_callback(lambda m: emit("delivered", id=m.hash.hex()))
    message.register_failed_callback(lambda m: emit("failed", why="not delivered"))
    router.handle_outbound(message)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect", required=True)
    parser.add_argument("--exit-with-stdin", action="store_true")
    args = parser.parse_args()
    host, port = args.connect.rsplit(":", 1)
    folder = tempfile.mkdtemp(prefix="lxmf_peer_")
    with open(os.path.join(folder, "config"), "w") as f:
        f.write("[reticulum]\n  share_instance = No\n  enable_transport = No\n  panic_on_interface_error = No\n"
                "[logging]\n  loglevel = 3\n[interfaces]\n  [[client]]\n    type = TCPClientInterface\n"
                "    enabled = Yes\n    target_host = %s\n    target_port = %s\n" % (host, port))
    RNS.Reticulum(configdir=folder, logdest=lambda line: sys.stderr.write(line + "\n"))
    identity = RNS.Identity()
    router = LXMF.LXMRouter(identity=identity, storagepath=folder)
    source = router.register_delivery_identity(identity, display_name="stock client")
    router.register_delivery_callback(received)
    RNS.Transport.register_announce_handler(Heard())
    time.sleep(0.5)
    router.announce(source.hash)
    emit("ready", destination=source.hash.hex(), lxmf=LXMF.__version__, listening=[])
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("announce"):
            router.announce(source.hash)
        else:
            threading.Thread(target=send, args=(router, source, order), daemon=True).start()
    os._exit(0)


main()
