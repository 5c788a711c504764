#!/usr/bin/env python3
"""A live RNS peer for interoperability tests, driven from the command line.

The reference stack is found through PYTHONPATH (or an installed `rns` package).
Every line on standard output is one JSON object with an "event" member; RNS's own
log goes to standard error.  All sockets stay on the loopback range.

Commands
  announce    announce a SINGLE destination again and again
  listen      print every announce that is heard
  echo        prove packets, echo link data, channels and requests, accept resources
  send        find a path, send encrypted single packets, wait for their proofs
  link        open a link and exercise it: data, request, resource, close
  transport   forward between TCP interfaces as a transport node

Every command takes --listen HOST:PORT and/or --connect HOST:PORT (both repeatable;
port 0 picks a free one, which the "ready" event reports).

Exit status: 0 all that was asked for happened, 1 something did not, 2 bad usage.
"""
import argparse
import hashlib
import ipaddress
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
import time

OUT_LOCK = threading.Lock()
OUT = sys.stdout


def emit(event, **fields):
    """One JSON line.  Bytes become hex, so callers need not convert."""
    row = {"event": event, "t": round(time.time(), 4)}
    for key, value in fields.items():
        row[key] = bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else value
    with OUT_LOCK:
        OUT.write(json.dumps(row) + "\n")
        OUT.flush()


def endpoint(text):
    host, sep, port = text.rpartition(":")
    if not sep or not port.isdigit():
        raise argparse.ArgumentTypeError("want HOST:PORT, got %r" % text)
    host = host.strip("[]") or "127.0.0.1"
    if host != "localhost":
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise argparse.ArgumentTypeError("only loopback addresses are allowed, got %r" % host)
    return host, int(port)


def endpoints(text):
    """HOST:PORT:HOST:PORT, where a UDP interface listens and where it sends to."""
    parts = text.split(":")
    if len(parts) != 4:
        raise argparse.ArgumentTypeError("want HOST:PORT:HOST:PORT, got %r" % text)
    return endpoint(":".join(parts[:2])), endpoint(":".join(parts[2:]))


def hexbytes(text):
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not hexadecimal: %r" % text)


def payload(size, label, compressible):
    """Test data that both sides can make: a repeated line, or a SHA-256 stream."""
    if compressible:
        line = ("%s 0123456789 the same line again and again\n" % label).encode()
        return (line * (size // len(line) + 1))[:size]
    out, n = bytearray(), 0
    while len(out) < size:
        out += hashlib.sha256(("%s/%d" % (label, n)).encode()).digest()
        n += 1
    return bytes(out[:size])


def digest(data):
    return hashlib.sha256(data).hexdigest()


# --------------------------------------------------------------------------- stack

def write_config(args, path, transport):
    rows = ["[reticulum]",
            "  enable_transport = %s" % ("Yes" if transport else "No"),
            "  share_instance = %s" % ("Yes" if args.share or args.share_name else "No"),
            "  use_implicit_proof = %s" % ("No" if args.explicit_proofs else "Yes"),
            "  panic_on_interface_error = No",
            *(["  shared_instance_type = tcp", "  shared_instance_port = %d" % args.share,
               "  instance_control_port = %d" % (args.share + 1)] if args.share else []),
            *(["  instance_name = %s" % args.share_name] if args.share_name else []),
            "[logging]",
            "  loglevel = %d" % args.loglevel,
            "[interfaces]"]

    def common():
        rows.append("    enabled = Yes")
        rows.append("    ingress_control = No")
        rows.append("    mode = %s" % args.mode)
        if args.bitrate:
            rows.append("    bitrate = %d" % args.bitrate)
        if args.ifac_name:
            rows.append("    network_name = %s" % args.ifac_name)
        if args.ifac_pass:
            rows.append("    passphrase = %s" % args.ifac_pass)
        if args.ifac_bits:
            rows.append("    ifac_size = %d" % args.ifac_bits)

    for i, (host, port) in enumerate(args.listen):
        rows += ["  [[server%d]]" % i, "    type = TCPServerInterface",
                 "    listen_ip = %s" % host, "    listen_port = %d" % port]
        common()
    for i, (host, port) in enumerate(args.connect):
        rows += ["  [[client%d]]" % i, "    type = TCPClientInterface",
                 "    target_host = %s" % host, "    target_port = %d" % port]
        if args.kiss:
            rows.append("    kiss_framing = Yes")
        if args.fixed_mtu:
            rows.append("    fixed_mtu = %d" % args.fixed_mtu)
        common()
    for i, (here, there) in enumerate(args.udp):
        rows += ["  [[udp%d]]" % i, "    type = UDPInterface",
                 "    listen_ip = %s" % here[0], "    listen_port = %d" % here[1],
                 "    forward_ip = %s" % there[0], "    forward_port = %d" % there[1]]
        common()
    for i, text in enumerate(args.interface):
        rows += ["  [[other%d]]" % i, *("    " + setting.strip() for setting in text.split(";"))]
        common()
    with open(os.path.join(path, "config"), "w") as f:
        f.write("\n".join(rows) + "\n")


def load_identity(spec):
    """seed:TEXT, 128 hex digits (encryption key then signing key), or a key file."""
    if spec is None:
        return RNS.Identity()
    if spec.startswith("seed:"):
        return RNS.Identity.from_bytes(hashlib.sha512(spec[5:].encode()).digest())
    if len(spec) == 128 and all(c in "0123456789abcdefABCDEF" for c in spec):
        return RNS.Identity.from_bytes(bytes.fromhex(spec))
    return RNS.Identity.from_file(spec)


def start_stack(args):
    transport = args.transport or args.command == "transport"
    args.config_dir = args.config or tempfile.mkdtemp(prefix="rns_peer_")
    args.config_is_temp = args.config is None
    os.makedirs(args.config_dir, exist_ok=True)
    write_config(args, args.config_dir, transport)

    def to_stderr(line):
        sys.stderr.write(line + "\n")

    RNS.Reticulum(configdir=args.config_dir, loglevel=args.loglevel, logdest=to_stderr)

    listening = []
    for interface in list(RNS.Transport.interfaces):
        server = getattr(interface, "server", None)
        if server is not None:
            host, port = server.server_address[:2]
            listening.append({"name": interface.name, "host": host, "port": port})
    return listening


def stop_stack(args, code):
    with OUT_LOCK:
        OUT.flush()
    try:
        RNS.Reticulum.exit_handler()
    except Exception:
        pass
    if args.config_is_temp:
        shutil.rmtree(args.config_dir, ignore_errors=True)
    os._exit(code)


def make_destination(args, identity, direction):
    return RNS.Destination(identity, direction, RNS.Destination.SINGLE, args.app, *args.aspects)


def describe(destination, identity):
    return {"destination": destination.hash.hex(), "identity": identity.hash.hex(),
            "public_key": identity.get_public_key().hex(), "name_hash": destination.name_hash.hex(),
            "name": ".".join([destination.name.split(".")[0]] + list(destination.name.split(".")[1:-1]))}


def app_data_of(args):
    if args.app_data_hex is not None:
        return args.app_data_hex
    if args.app_data is not None:
        return args.app_data.encode("utf-8")
    return None


def wait_end(args, done=lambda: False):
    end = time.time() + args.duration if args.duration else None
    while not done():
        if end is not None and time.time() >= end:
            return
        time.sleep(0.05)


# ------------------------------------------------------------------------ commands

def announcer(args, destination, app_data):
    """Announces in the background; returns the counter it keeps."""
    sent = {"count": 0}

    def loop():
        time.sleep(args.first_after)
        while not args.count or sent["count"] < args.count:
            destination.announce(app_data=app_data)
            sent["count"] += 1
            emit("announced", destination=destination.hash, app_data=app_data or b"", number=sent["count"])
            time.sleep(args.interval)

    threading.Thread(target=loop, daemon=True).start()
    return sent


def cmd_announce(args, listening):
    identity = load_identity(args.identity)
    destination = make_destination(args, identity, RNS.Destination.IN)
    if args.ratchets:
        destination.enable_ratchets(os.path.join(args.config_dir, "ratchets_" + destination.hexhash))
    emit("ready", command="announce", rns=RNS.__version__, listening=listening, **describe(destination, identity))
    sent = announcer(args, destination, app_data_of(args))
    wait_end(args, lambda: args.count and sent["count"] >= args.count and time.sleep(args.linger) is None)
    return 0


class Heard:
    aspect_filter = None
    receive_path_responses = True

    def __init__(self):
        self.count = 0

    def received_announce(self, destination_hash, announced_identity, app_data, announce_packet_hash, is_path_response):
        self.count += 1
        emit("announce", destination=destination_hash, hops=RNS.Transport.hops_to(destination_hash),
             app_data=app_data if app_data is not None else None,
             identity=announced_identity.hash if announced_identity else None,
             public_key=announced_identity.get_public_key() if announced_identity else None,
             packet_hash=announce_packet_hash, path_response=bool(is_path_response),
             ratchet=RNS.Identity.known_ratchets.get(destination_hash))


def cmd_listen(args, listening):
    heard = Heard()
    RNS.Transport.register_announce_handler(heard)
    emit("ready", command="listen", rns=RNS.__version__, listening=listening)
    wait_end(args, lambda: args.count and heard.count >= args.count)
    return 0 if not args.count or heard.count >= args.count else 1


def echo_message_type():
    class Echo(RNS.MessageBase):
        MSGTYPE = 0x0101

        def __init__(self, data=b""):
            self.data = data

        def pack(self):
            return self.data

        def unpack(self, raw):
            self.data = raw

    return Echo


def cmd_echo(args, listening):
    identity = load_identity(args.identity)
    destination = make_destination(args, identity, RNS.Destination.IN)
    if args.ratchets:
        destination.enable_ratchets(os.path.join(args.config_dir, "ratchets_" + destination.hexhash))
    destination.set_proof_strategy(RNS.Destination.PROVE_NONE if args.no_proofs else RNS.Destination.PROVE_ALL)
    echo_type = echo_message_type()

    def on_packet(data, packet):
        emit("packet", data=data, packet_hash=packet.packet_hash, hops=packet.hops, ratchet_id=packet.ratchet_id)

    def on_link(link):
        emit("link_established", link_id=link.link_id, mtu=link.mtu, mdu=link.mdu, mode=link.mode,
             rtt=link.rtt, keepalive=link.keepalive, stale_time=link.stale_time,
             initiator_public_key=link.peer_pub_bytes, initiator_signing_key=link.peer_sig_pub_bytes)

        def on_data(message, packet):
            emit("link_data", link_id=link.link_id, size=len(message), data=message[:64], sha256=digest(message))
            if not args.silent:
                RNS.Packet(link, message).send()

        def on_resource(resource):
            ok = resource.status == RNS.Resource.COMPLETE
            data = resource.data.read() if ok else b""
            emit("resource", link_id=link.link_id, ok=ok, status=resource.status, size=len(data), sha256=digest(data),
                 hash=resource.hash, compressed=bool(getattr(resource, "compressed", False)),
                 segments=resource.total_segments, parts=resource.total_parts,
                 has_metadata=resource.has_metadata,
                 metadata=repr(resource.metadata) if resource.has_metadata else None)
            if ok and args.echo_resources:
                RNS.Resource(data, link)

        # One worker answers all channel messages of a link, so they keep their order.
        answers = queue.Queue()

        def answer():
            while link.status != RNS.Link.CLOSED:
                try:
                    data = answers.get(timeout=1.0)
                except queue.Empty:
                    continue
                while not channel.is_ready_to_send() and link.status == RNS.Link.ACTIVE:
                    time.sleep(0.01)
                try:
                    channel.send(echo_type(data))
                except Exception as error:
                    emit("error", what="channel: %s" % error)

        def on_message(message):
            if isinstance(message, echo_type):
                emit("channel_message", link_id=link.link_id, size=len(message.data), data=message.data[:64])
                answers.put(message.data)
                return True
            return False

        link.set_packet_callback(on_data)
        link.set_resource_strategy(RNS.Link.ACCEPT_ALL)
        link.set_resource_concluded_callback(on_resource)
        link.set_remote_identified_callback(
            lambda l, who: emit("identified", link_id=l.link_id, identity=who.hash, public_key=who.get_public_key()))
        link.set_link_closed_callback(
            lambda l: emit("link_closed", link_id=l.link_id, reason=getattr(l, "teardown_reason", None)))
        channel = link.get_channel()
        channel.register_message_type(echo_type)
        channel.add_message_handler(on_message)
        threading.Thread(target=answer, daemon=True).start()

    def on_request(path, data, request_id, link_id, remote_identity, requested_at):
        size = len(data) if isinstance(data, (bytes, str, list, dict)) else None
        emit("request", path=path, request_id=request_id, link_id=link_id, size=size, requested_at=requested_at,
             identity=remote_identity.hash if remote_identity else None)
        return data

    def on_size(path, data, request_id, link_id, remote_identity, requested_at):
        emit("request", path=path, request_id=request_id, link_id=link_id, size=data)
        return payload(int(data), "size", False)

    def on_whoami(path, data, request_id, link_id, remote_identity, requested_at):
        emit("request", path=path, request_id=request_id, link_id=link_id,
             identity=remote_identity.hash if remote_identity else None)
        return remote_identity.hash if remote_identity else b""

    destination.set_packet_callback(on_packet)
    destination.set_link_established_callback(on_link)
    destination.register_request_handler("/echo", response_generator=on_request, allow=RNS.Destination.ALLOW_ALL)
    destination.register_request_handler("/size", response_generator=on_size, allow=RNS.Destination.ALLOW_ALL)
    destination.register_request_handler("/whoami", response_generator=on_whoami, allow=RNS.Destination.ALLOW_ALL)
    emit("ready", command="echo", rns=RNS.__version__, listening=listening, **describe(destination, identity))
    if args.interval:
        announcer(args, destination, app_data_of(args))
    wait_end(args)
    return 0


def resolve(args):
    """The outgoing destination for --destination, after a path request if needed."""
    target = args.destination
    began = time.time()
    if not RNS.Transport.has_path(target):
        # A peer that is still connecting would miss a single request.
        deadline = began + args.timeout
        while not RNS.Transport.has_path(target) and time.time() < deadline:
            RNS.Transport.request_path(target)
            emit("path_requested", destination=target)
            step = time.time() + 3
            while not RNS.Transport.has_path(target) and time.time() < min(step, deadline):
                time.sleep(0.02)
    if not RNS.Transport.has_path(target):
        emit("error", what="no path", destination=target)
        return None
    identity = RNS.Identity.recall(target)
    if identity is None:
        emit("error", what="path known but no identity", destination=target)
        return None
    destination = make_destination(args, identity, RNS.Destination.OUT)
    if destination.hash != target:
        # The name only serves to derive the hash, and the hash is what travels.
        emit("note", what="destination hash does not follow from --app/--aspect; using the given hash")
        destination.hash = target
        destination.hexhash = target.hex()
    emit("path", destination=target, hops=RNS.Transport.hops_to(target), identity=identity.hash,
         public_key=identity.get_public_key(), next_hop=RNS.Transport.next_hop(target),
         ratchet=RNS.Identity.get_ratchet(target), seconds=round(time.time() - began, 4))
    return destination


def send_once(destination, data, timeout, **extra):
    got = threading.Event()
    packet = RNS.Packet(destination, data)
    receipt = packet.send()
    if not receipt:
        emit("error", what="not sent")
        return False
    receipt.set_timeout(timeout)
    receipt.set_delivery_callback(lambda r: got.set())
    emit("sent", packet_hash=packet.packet_hash, size=len(data), raw_size=len(packet.raw), ratchet_id=packet.ratchet_id)
    proved = got.wait(timeout) or receipt.proved
    if proved:
        proof = receipt.proof_packet.data if receipt.proof_packet else b""
        emit("proof", packet_hash=packet.packet_hash, rtt=round(receipt.get_rtt(), 5), proof_size=len(proof),
             implicit=len(proof) == 64, **extra)
    else:
        emit("error", what="no proof", packet_hash=packet.packet_hash)
    return proved


def cmd_send(args, listening):
    emit("ready", command="send", rns=RNS.__version__, listening=listening)
    destination = resolve(args)
    if destination is None:
        return 1
    ok = True
    for n in range(args.count or 1):
        if args.data_hex is not None:
            data = args.data_hex
        elif args.text is not None:
            data = args.text.encode("utf-8")
        else:
            data = payload(args.size, "send/%d" % n, False)
        ok = send_once(destination, data, args.timeout, number=n) and ok
    emit("result", ok=ok)
    return 0 if ok else 1


def cmd_link(args, listening):
    emit("ready", command="link", rns=RNS.__version__, listening=listening)
    destination = resolve(args)
    if destination is None:
        return 1
    results = {}

    def done(name, ok, **fields):
        results[name] = bool(ok)
        emit(name, ok=bool(ok), **fields)
        return ok

    up, closed = threading.Event(), threading.Event()
    began = time.time()
    link = RNS.Link(destination, established_callback=lambda l: up.set(), closed_callback=lambda l: closed.set())
    if not done("link", up.wait(args.timeout), link_id=link.link_id, mtu=link.mtu, mdu=link.mdu, mode=link.mode,
                rtt=link.rtt, seconds=round(time.time() - began, 4), keepalive=link.keepalive):
        return 1

    arrived, lock = [], threading.Condition()

    def on_data(message, packet):
        with lock:
            arrived.append(message)
            lock.notify_all()

    link.set_packet_callback(on_data)

    if args.identify:
        identity = load_identity(args.identity)
        link.identify(identity)
        emit("identify", identity=identity.hash)
        time.sleep(0.2)

    sizes = [1, args.size, link.mdu] if args.count is None else [args.size] * args.count
    for n, size in enumerate(sizes):
        data = payload(min(size, link.mdu), "link/%d" % n, False)
        proved = threading.Event()
        receipt = RNS.Packet(link, data).send()
        if receipt:
            receipt.set_delivery_callback(lambda r: proved.set())
        with lock:
            echoed = lock.wait_for(lambda: data in arrived, args.timeout)
        done("echo_%d" % n, echoed, size=len(data), proved=bool(proved.wait(1.0)))

    def ask(name, path, data, check):
        finished = threading.Event()
        receipt = link.request(path, data=data, response_callback=lambda r: finished.set(),
                               failed_callback=lambda r: finished.set(), timeout=args.timeout)
        finished.wait(args.timeout + 1)
        response = receipt.get_response() if receipt else None
        size = len(response) if isinstance(response, (bytes, str)) else None
        done(name, response is not None and check(response), path=path, size=size,
             request_id=receipt.request_id if receipt else None,
             seconds=receipt.get_response_time() if receipt and response is not None else None)

    ask("request_small", "/echo", b"hello over a request", lambda r: r == b"hello over a request")
    big = payload(args.request_size, "request", False)
    ask("request_large", "/echo", big, lambda r: r == big)
    if args.identify:
        ask("request_whoami", "/whoami", None, lambda r: r == load_identity(args.identity).hash
            if args.identity else len(r) == 16)

    if args.channel:
        echo_type = echo_message_type()
        channel = link.get_channel()
        channel.register_message_type(echo_type)
        back, backlock = [], threading.Condition()

        def on_message(message):
            with backlock:
                back.append(message.data)
                backlock.notify_all()
            return True

        channel.add_message_handler(on_message)
        sent = []
        for n in range(8):
            deadline = time.time() + args.timeout
            while not channel.is_ready_to_send() and time.time() < deadline:
                time.sleep(0.01)
            data = payload(50 + n, "channel/%d" % n, False)
            channel.send(echo_type(data))
            sent.append(data)
        with backlock:
            got_all = backlock.wait_for(lambda: back == sent, args.timeout)
        done("channel", got_all, messages=len(sent), in_order=back == sent[:len(back)])

    for name, size, compressible in [("resource", args.resource_size, args.compressible)] if args.resource_size else []:
        data = payload(size, name, compressible)
        finished = threading.Event()
        metadata = {"name": "interop", "size": size} if args.metadata else None
        start = time.time()
        resource = RNS.Resource(data, link, metadata=metadata, callback=lambda r: finished.set(),
                                auto_compress=not args.no_compress)
        finished.wait(args.timeout * 4)
        done(name, resource.status == RNS.Resource.COMPLETE, size=size, sha256=digest(data), status=resource.status,
             hash=resource.hash, compressed=resource.compressed, parts=resource.total_parts,
             segments=resource.total_segments, seconds=round(time.time() - start, 4))
        time.sleep(0.1)

    if args.hold:
        emit("holding", seconds=args.hold)
        closed.wait(args.hold)
        done("held", link.status == RNS.Link.ACTIVE, status=link.status)

    link.teardown()
    time.sleep(0.3)
    done("close", link.status == RNS.Link.CLOSED, reason=getattr(link, "teardown_reason", None))
    ok = all(results.values())
    emit("result", ok=ok, steps=results)
    return 0 if ok else 1


def cmd_transport(args, listening):
    if len(args.listen) + len(args.connect) + len(args.udp) + len(args.interface) < 2:
        emit("error", what="a transport node wants at least two interfaces")
        return 2
    heard = Heard()
    RNS.Transport.register_announce_handler(heard)
    emit("ready", command="transport", rns=RNS.__version__, listening=listening,
         transport_identity=RNS.Transport.identity.hash)
    last = None
    end = time.time() + args.duration if args.duration else None
    while end is None or time.time() < end:
        state = {"links": len(RNS.Transport.link_table), "paths": len(RNS.Transport.path_table),
                 "reverse": len(RNS.Transport.reverse_table)}
        if state != last:
            emit("tables", **state)
            last = state
        time.sleep(0.25)
    return 0


COMMANDS = {"announce": cmd_announce, "listen": cmd_listen, "echo": cmd_echo, "send": cmd_send, "link": cmd_link,
            "transport": cmd_transport}


def parse(argv):
    common = argparse.ArgumentParser(add_help=False)
    net = common.add_argument_group("network")
    net.add_argument("--listen", type=endpoint, action="append", default=[], metavar="HOST:PORT")
    net.add_argument("--connect", type=endpoint, action="append", default=[], metavar="HOST:PORT")
    net.add_argument("--udp", type=endpoints, action="append", default=[], metavar="HOST:PORT:HOST:PORT")
    net.add_argument("--interface", action="append", default=[], metavar="SETTINGS",
                     help="any other interface, as in a configuration file: 'type = AutoInterface; devices = eth0'")
    net.add_argument("--share", type=int, metavar="PORT", help="be a shared instance on this port and the next")
    net.add_argument("--share-name", metavar="NAME", help="be a shared instance on a Unix socket, under this name")
    net.add_argument("--kiss", action="store_true", help="KISS framing on the --connect interfaces")
    net.add_argument("--fixed-mtu", type=int, help="fixed hardware MTU of the --connect interfaces")
    net.add_argument("--bitrate", type=int, help="configured bitrate, over 62500; RNS picks the hardware MTU by it")
    net.add_argument("--mode", default="full", help="interface mode, e.g. full, gateway, boundary")
    net.add_argument("--ifac-name", help="network name for interface access codes")
    net.add_argument("--ifac-pass", help="passphrase for interface access codes")
    net.add_argument("--ifac-bits", type=int, help="access code size in bits")
    net.add_argument("--transport", action="store_true", help="also forward for others")
    net.add_argument("--explicit-proofs", action="store_true")
    run = common.add_argument_group("run")
    run.add_argument("--config", help="configuration folder to use (default: a temporary one)")
    run.add_argument("--duration", type=float, default=600.0, help="stop after this many seconds; 0: never")
    run.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input is closed")
    run.add_argument("--loglevel", type=int, default=1, help="RNS's log level on standard error (0-7)")
    run.add_argument("--timeout", type=float, default=15.0, help="seconds to wait for each answer")
    run.add_argument("--count", type=int, help="how many announces, packets or echoes")
    who = common.add_argument_group("names")
    who.add_argument("--identity", help="seed:TEXT, 128 hex digits, or a key file")
    who.add_argument("--app", default="interop")
    who.add_argument("--aspect", dest="aspects", action="append", help="repeatable; default: echo")
    who.add_argument("--app-data", help="announce data as text")
    who.add_argument("--app-data-hex", type=hexbytes)
    who.add_argument("--interval", type=float, default=None, help="seconds between announces")
    who.add_argument("--first-after", type=float, default=0.3, help="seconds before the first announce")
    who.add_argument("--ratchets", action="store_true")

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    sub = parser.add_subparsers(dest="command", required=True)
    p = sub.add_parser("announce", parents=[common])
    p.add_argument("--linger", type=float, default=1.0, help="seconds to stay after the last of --count announces")
    sub.add_parser("listen", parents=[common])
    p = sub.add_parser("echo", parents=[common])
    p.add_argument("--no-proofs", action="store_true")
    p.add_argument("--silent", action="store_true", help="do not echo link data")
    p.add_argument("--echo-resources", action="store_true", help="send every received resource back")
    p = sub.add_parser("send", parents=[common])
    p.add_argument("--destination", type=hexbytes, required=True)
    p.add_argument("--data-hex", type=hexbytes)
    p.add_argument("--text")
    p.add_argument("--size", type=int, default=64)
    p = sub.add_parser("link", parents=[common])
    p.add_argument("--destination", type=hexbytes, required=True)
    p.add_argument("--size", type=int, default=200)
    p.add_argument("--identify", action="store_true")
    p.add_argument("--channel", action="store_true")
    p.add_argument("--request-size", type=int, default=20000)
    p.add_argument("--resource-size", type=int, default=100 * 1024, help="0: no resource")
    p.add_argument("--compressible", action="store_true")
    p.add_argument("--no-compress", action="store_true")
    p.add_argument("--metadata", action="store_true")
    p.add_argument("--hold", type=float, default=0.0, help="keep the link open this long before closing it")
    sub.add_parser("transport", parents=[common])

    args = parser.parse_args(argv)
    args.aspects = ["echo"] if args.aspects is None else [a for a in args.aspects if a != ""]
    if args.interval is None:
        args.interval = 5.0 if args.command in ("announce", "echo") else 0.0
    if args.bitrate is not None and args.bitrate <= 62500:
        parser.error("RNS gives such an interface no hardware MTU, and its TCP reader then fails")
    if not args.listen and not args.connect and not args.udp and not args.interface and not args.share_name:
        parser.error("give --listen and/or --connect")
    return args


def main(argv=None):
    args = parse(argv)
    global RNS, OUT
    # RNS may print on standard output; keep that stream for the JSON lines alone.
    OUT = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import RNS as rns
    RNS = rns
    listening = start_stack(args)
    if args.exit_with_stdin:
        def watch():
            while sys.stdin.buffer.read(4096):
                pass
            stop_stack(args, 0)
        threading.Thread(target=watch, daemon=True).start()
    try:
        code = COMMANDS[args.command](args, listening)
    except Exception as error:
        import traceback
        traceback.print_exc()
        emit("error", what="%s: %s" % (type(error).__name__, error))
        code = 1
    stop_stack(args, code)


if __name__ == "__main__":
    main()
