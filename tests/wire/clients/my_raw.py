"""A client of nothing but sockets, for what no packaged client negotiates: my_raw.py CAPABILITIES EXTENDED [SCRIPT-LINE...].

Capabilities (hexadecimal) are added to a usual set. Each script line is sent as one packet: a word of the table below and Python
bytes or numbers; "+" joins it to the next line in one segment. Answers are read until the server is silent.
"""
import hashlib
import os
import select
import socket
import sys

USUAL = 0x001f8208
COMMANDS = {"query": 3, "prepare": 0x16, "execute": 0x17, "fetch": 0x1c, "close": 0x19, "ping": 0x0e, "fields": 4, "quit": 1, "option": 0x1b,
            "debug": 0x0d, "reset": 0x1f, "unknown": 0xf9, "statistics": 9, "processes": 0x0a}


def receive(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def packet(sock):
    head = receive(sock, 4)
    return head[3], receive(sock, int.from_bytes(head[:3], "little"))


def sha(name, *parts):
    return hashlib.new(name, b"".join(parts)).digest()


def proof(plugin, password, nonce):
    if plugin == b"caching_sha2_password":
        one = sha("sha256", password)
        two = sha("sha256", sha("sha256", one), nonce)
    else:
        one = sha("sha1", password)
        two = sha("sha1", nonce, sha("sha1", one))
    return bytes(a ^ b for a, b in zip(one, two))


def login(sock, caps, ext):
    _, greeting = packet(sock)
    version_end = greeting.index(b"\0")
    nonce = greeting[version_end + 5:version_end + 13] + greeting[version_end + 32:version_end + 44]
    plugin = greeting[version_end + 45:].rstrip(b"\0")
    caps |= USUAL | (0 if ext else 1)
    body = (caps.to_bytes(4, "little") + (1 << 30).to_bytes(4, "little") + b"\x2d" + bytes(19) + ext.to_bytes(4, "little") + b"app\0")
    answer = proof(plugin, b"app", nonce)
    body += bytes([len(answer)]) + answer + os.environ.get("MYSQL_DATABASE", "d").encode() + b"\0" + plugin + b"\0"
    body += b"\x12\x0cprogram_name\x04raw!"
    sock.sendall(len(body).to_bytes(3, "little") + b"\1" + body)
    while True:
        _, answer = packet(sock)
        if answer[:1] in (b"\0", b"\xff"):
            break
    assert answer[:1] == b"\0", answer


def encode(line):
    word, _, rest = line.partition(" ")
    body = bytes([COMMANDS[word]])
    for part in eval(f"[{rest}]", {}):  # pylint: disable=eval-used
        body += part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else part[0].to_bytes(part[1], "little")
    return len(body).to_bytes(3, "little") + b"\0" + body


def main():
    caps, ext, *lines = sys.argv[1:]
    sock = socket.create_connection((os.environ["MYSQL_HOST"], int(os.environ["MYSQL_TCP_PORT"])))
    login(sock, int(caps, 16), int(ext, 16))
    out = b""
    for line, following in zip(lines, lines[1:] + [""]):
        if line != "+":
            out += encode(line)
        if line == "+" or following == "+":
            continue
        sock.sendall(out)
        out = b""
        while select.select([sock], [], [], 0.1)[0]:
            if not sock.recv(65536):
                return


main()
