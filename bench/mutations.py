# Seeded mutations of the raw cases: mostly requests that the sidecar still forwards, with what servers
# are known to read differently in them. The same seed gives the same bytes.

import random

METHODS = ("GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PREFIXES = ("/", "/web/", "/websocket/", "/longpolling/", "//", "/web/assets/", "/jsonrpc")
TARGETS = ("%2f", "%2F..%2f", "..", "/../", "/./", "//", "%00", "%0d%0a", "%5c", "%", "%zz", "%25", "?",
           "??", "a=b&c=d", "&", ";", "=", "+", "~", "!$'()*,", ":", "@", "[", "]", "%C3%A9", "%ff", "*",
           "http://x/", "a b", "#")
NAMES = ("X-A", "x-a", "X-A", "Cookie", "Cookie", "Accept", "Accept-Encoding", "If-None-Match", "Range",
         "Content-Type", "Content-Encoding", "User-Agent", "Referer", "X-Forwarded-For", "Via",
         "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Authorization", "Upgrade", "Expect",
         "X!#$%&'*+.^`|~9", "Content-Length2", "X-Content-Length", "Keep-Alive", "TE", "Trailer",
         "Proxy", "Proxy-Connection", "X_A", "Date", "Origin", "Accept-Charset", "Max-Forwards")
VALUES = ("", "a", "a, b", " a", "a ", "a\t", "\ta\tb", ",", "a,,b", '"a, b"', "chunked", "close", "0",
          "a=b; c=d", "a;b", "bytes=0-", "\xe9", "\x80\x85\xa0\xff", "=?utf-8?q?a?=", "100-continue",
          "websocket", "trailers", "\xc3\xa9", "GET / HTTP/1.1", ":", ": b", "a: b", "x" * 8000,
          "gzip", "http://a/?b#c", "W/\"a\"", "(a)", "\\", "'", "multipart/form-data; boundary=a",
          "application/x-www-form-urlencoded", "application/json; charset=latin-1")
HOSTS = ("a", "A", "a.b", "a:80", "127.0.0.1", "[::1]", "[::1]:8069", "erp.test:8069", "a-b.c")


def fields(dice):
    lines = []
    for _ in range(dice.choice((0, 1, 2, 3, 8, 30))):
        name, value = dice.choice(NAMES), dice.choice(VALUES)
        if dice.random() < 0.2:
            value = "".join(chr(dice.choice((9, 32, *range(33, 127), *range(128, 256))))
                            for _ in range(dice.randrange(40)))
        if dice.random() < 0.2:
            name = "".join(dice.choice((letter.upper(), letter.lower())) for letter in name)
        lines.append(f"{name}:{dice.choice(('', ' ', '  ', chr(9)))}{value}")
    return lines


def body_lines(dice):
    """Framing fields and the bytes behind the head."""
    body = "".join(chr(dice.randrange(256)) for _ in range(dice.choice((0, 1, 5, 100, 5000))))
    if dice.random() < 0.3:
        body = dice.choice(("0\r\n\r\n", "GET /b HTTP/1.1\r\nHost: b\r\n\r\n", "\r\n", "a=b&c=d"))
    if dice.random() < 0.5:
        return [f"Content-Length: {dice.choice(('', '0', '000'))}{len(body)}"], body
    text, at = "", 0
    while at < len(body):
        size = dice.choice((1, 2, 7, 64, 4096))
        piece = body[at:at + size]
        extension = dice.choice(("", "", ";a", ";a=b", ';a="b\\"c"'))
        text += f"{dice.choice(('', '0'))}{len(piece):{dice.choice('xX')}}{extension}\r\n{piece}\r\n"
        at += size
    trailer = dice.choice(("", "", "X-T: a\r\n", "X-A: b\r\nX-B:\r\n"))
    return ["Transfer-Encoding: chunked"], f"{text}0\r\n{trailer}\r\n"


def made(dice):
    """A request made of parts."""
    target = dice.choice(PREFIXES) + "".join(
        dice.choice(TARGETS) if dice.random() < 0.5 else chr(dice.randrange(33, 127))
        for _ in range(dice.randrange(6)))
    host = dice.choice(HOSTS)
    if dice.random() < 0.05:
        target = f"http://{dice.choice(HOSTS)}{target}"
    method = dice.choice(METHODS)
    if dice.random() < 0.02:
        method, target = "OPTIONS", "*"
    lines, body = fields(dice), ""
    if method in ("POST", "PUT", "PATCH") or dice.random() < 0.1:
        framing, body = body_lines(dice)
        lines += framing
    lines.append(f"Host: {host}")
    dice.shuffle(lines)
    version = dice.choice(("1.1",) * 9 + ("1.0",))
    return f"{method} {target} HTTP/{version}\r\n" + "".join(f"{l}\r\n" for l in lines) + "\r\n" + body


def bent(text, dice):
    """One small fault anywhere."""
    at = dice.randrange(len(text))
    kind = dice.randrange(5)
    if kind == 0:
        return text[:at] + chr(dice.randrange(256)) + text[at + 1:]
    if kind == 1:
        return text[:at] + dice.choice(("\r\n", "\n", " ", "\t", ":", ",", "\0", "%", "/")) + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1:]
    end = at + dice.randrange(1, 20)
    if kind == 3:
        return text[:at] + text[end:]
    return text[:end] + text[at:end] + text[end:]


def with_fields(text, dice):
    head, gap, rest = text.partition("\r\n")
    return head + gap + "".join(f"{line}\r\n" for line in fields(dice)) + rest


def endless(cases, seed):
    """(name, bytes) for ever."""
    dice = random.Random(seed)
    texts = [case["bytes"].decode("latin-1") for case in cases if len(case["bytes"]) < 20_000]
    good = [case["bytes"].decode("latin-1") for case in cases
            if case["reading"] and len(case["bytes"]) < 20_000]
    number = 0
    while True:
        number += 1
        kind = dice.randrange(10)
        if kind < 5:
            text = made(dice)
        elif kind < 7:
            text = with_fields(dice.choice(good), dice)
        elif kind < 8:
            text = bent(made(dice), dice)
        elif kind < 9:
            text = bent(dice.choice(good), dice)
        else:
            text = dice.choice(good) + bent(dice.choice(texts), dice)
        yield f"mutation {number}", text.encode("latin-1")
