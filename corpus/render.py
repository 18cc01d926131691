#!/usr/bin/env python3
"""Render the corpus: corpus/texts/*.jsonl become real MIME messages and labels.

`render.py` writes corpus/{dev,test}/<id>.eml and corpus/{dev,test}/labels.jsonl;
`render.py --check` writes nothing and fails when the files on disk differ.
The same records always give the same bytes. corpus/README.md describes a record.
"""

import base64
import email
import email.policy
import hashlib
import html
import json
import re
import sys
import unicodedata
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parseaddr
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SPLITS = ("dev", "test")
CLASSES = {"code": (True, False), "link": (False, True), "both": (True, True), "negative": (False, False)}
LEVELS = ("easy", "medium", "hard")
CTES = ("7bit", "8bit", "quoted-printable", "base64")
STRUCTURES = ("single", "alternative", "mixed", "related", "forwarded")
LABEL_KEYS = ("lang", "class", "code", "link", "forms", "difficulty")
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAB9cVP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")
OLDER = {"from": "Front desk <desk@office.example>", "subject": "Opening hours in winter",
         "text": "Hello,\n\nwe close at four on Fridays until March.\n\nThe front desk\n"}
MAX_LINE = 998  # RFC 5322 section 2.1.1


def digest(record, purpose):
    """A number that depends on the record's id and on what it is for, so that choices are stable."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{record['id']}".encode()).digest()[:6], "big")


# Encodings ------------------------------------------------------------------

def quoted_printable(data, inside=()):
    """RFC 2045 section 6.7, with a soft break forced into the middle of each text of `inside`."""
    lines = []
    for line in data.split(b"\r\n"):
        units = [chr(b) if 33 <= b <= 126 and b != 61 or b in b"\t " else f"={b:02X}" for b in line]
        if units and units[-1] in "\t ":
            units[-1] = f"={ord(units[-1]):02X}"
        forced = set()
        for wanted in inside:
            at = line.find(wanted)
            if wanted and at >= 0:
                forced.add(at + len(wanted) // 2)
        current = ""
        for index, unit in enumerate(units):
            if current and (len(current) + len(unit) > 75 or index in forced):
                lines.append(current + "=")
                current = ""
            current += unit
        lines.append(current)
    return "\r\n".join(lines).encode()


def encode_body(text, record):
    """The body in the record's charset and transfer encoding."""
    data = re.sub(r"\r?\n", "\r\n", text).encode(record["charset"])
    cte = record["cte"]
    if cte == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n").rstrip(b"\r\n")
    if cte == "quoted-printable":
        inside = [record["code"].encode()] if "soft-break" in record["forms"] and record["code"] else []
        return quoted_printable(data, inside)
    if max(map(len, data.split(b"\r\n"))) > MAX_LINE:
        raise ValueError(f"a line of more than {MAX_LINE} octets needs quoted-printable or base64")
    if cte == "7bit" and any(b > 126 for b in data):
        raise ValueError("7bit cannot carry this text")
    return data


def encoded_words(text, record):
    """RFC 2047 words of at most 75 characters, whole characters in each, folded."""
    quoted = digest(record, "word") % 3 == 0 and record["charset"] != "iso-2022-jp"
    def word(chars):
        data = chars.encode(record["charset"])
        if quoted:
            safe = "".join(chr(b) if chr(b).isascii() and chr(b).isalnum() else f"={b:02X}" for b in data)
            return f"=?{record['charset']}?Q?{safe.replace('=20', '_')}?="
        return f"=?{record['charset']}?B?{base64.b64encode(data).decode()}?="
    words, chars = [], ""
    for char in text:
        if len(word(chars + char)) > 62:
            words.append(word(chars))
            chars = ""
        chars += char
    return "\r\n ".join(words + [word(chars)])


def header(name, value, record):
    """One header field: plain and folded at white space where ASCII, encoded words otherwise."""
    if not value.isascii():
        return f"{name}: {encoded_words(value, record)}"
    line, lines = f"{name}:", []
    for token in value.split(" "):
        if len(line) + 1 + len(token) > 76 and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += " " + token
    return "\r\n".join(lines + [line])


def address(name, value, record):
    """An address field; a display name outside ASCII becomes encoded words."""
    display, addr = parseaddr(value)
    if display and not display.isascii():
        return f"{name}: {encoded_words(display, record)}\r\n <{addr}>"
    quoted = f'"{display}"' if re.search(r"[^\w \-]", display) else display
    return f"{name}: {quoted} <{addr}>" if display else f"{name}: {addr}"


# Structure ------------------------------------------------------------------

def part(kind, body, headers=""):
    return f"Content-Type: {kind}\r\n{headers}\r\n".encode() + body


def text_part(subtype, text, record):
    return part(f"text/{subtype}; charset={record['charset']}", encode_body(text, record),
                f"Content-Transfer-Encoding: {record['cte']}\r\n")


def multipart(subtype, parts, record, depth):
    style = ("--=_Part_{}_{:x}", "{:04d}{:x}", "=_mixed-{}-{:x}", "b{}_{:x}")[digest(record, "style") % 4]
    boundary = style.format(depth, digest(record, f"boundary{depth}"))
    fence = f"--{boundary}".encode()
    body = b"".join(fence + b"\r\n" + inner + b"\r\n" for inner in parts) + fence + b"--\r\n"
    return part(f'multipart/{subtype};\r\n boundary="{boundary}"', body)


def attachment(record):
    given = record.get("attachment") or {"name": "terms.txt", "text": "General terms, see our web site.\n"}
    body = base64.encodebytes(given["text"].encode()).replace(b"\n", b"\r\n")
    return part(f'text/plain; charset=utf-8; name="{given["name"]}"', body, "Content-Transfer-Encoding: base64\r\n"
                f'Content-Disposition: attachment; filename="{given["name"]}"\r\n')


def older_message(record):
    older = {**OLDER, **(record.get("forwarded") or {})}
    inner = {**record, "id": record["id"] + "-older", "charset": "utf-8", "cte": "quoted-printable",
             "forms": [], "structure": "single", "html": None, **older}
    return part("message/rfc822", message(inner), "Content-Disposition: attachment\r\n")


def content(record):
    """The Content-Type field and all below it."""
    structure = record.get("structure") or ("alternative" if record["text"] and record["html"] else "single")
    pieces = []
    if record["text"] is not None:
        pieces.append(text_part("plain", record["text"], record))
    if record["html"] is not None:
        page = text_part("html", record["html"], record)
        if structure == "related":
            image = part('image/gif; name="logo.gif"', base64.encodebytes(PIXEL).replace(b"\n", b"\r\n"),
                         "Content-Transfer-Encoding: base64\r\nContent-ID: <logo@mail>\r\nContent-Disposition: inline\r\n")
            page = multipart("related", [page, image], record, 2)
        pieces.append(page)
    body = pieces[0] if len(pieces) == 1 else multipart("alternative", pieces, record, 1)
    if structure in ("mixed", "forwarded"):
        body = multipart("mixed", [body, attachment(record) if structure == "mixed" else older_message(record)], record, 3)
    return body


def message(record):
    """The whole message with CRLF line ends."""
    host = parseaddr(record["from"])[1].rpartition("@")[2]
    when = datetime(2026, 1, 5, tzinfo=timezone.utc) + timedelta(seconds=digest(record, "date") % 26_000_000)
    zone = timezone(timedelta(hours=digest(record, "zone") % 12 - 3))
    fields = [
        header("Date", format_datetime(when.astimezone(zone)), record),
        address("From", record["from"], record),
        "To: " + ("robin@mail.example", "<k.lund@inbox.example>", '"Sam" <sam.w@post.example>')[digest(record, "to") % 3],
        header("Subject", record["subject"], record),
        f"Message-ID: <{digest(record, 'message'):x}.{digest(record, 'serial') % 10**8:08d}@{host}>",
    ]
    unsubscribe = f"List-Unsubscribe: <mailto:leave@{host}>,\r\n <https://{host}/u/{digest(record, 'leave') % 10**7}>"
    optional = (unsubscribe, "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "Precedence: bulk",
                f"Reply-To: help@{host}", f"X-Request-ID: {digest(record, 'request') % 10**6:06d}",
                f"Feedback-ID: {digest(record, 'feedback') % 10**5}:tx:{host}")
    fields += [field for index, field in enumerate(optional) if digest(record, "optional") >> index * 2 & 3 == 0]
    raw = "\r\n".join(fields + ["MIME-Version: 1.0", ""]).encode() + content(record)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


# Validation -----------------------------------------------------------------

def bare(text):
    """Letters and digits alone, compatibility forms and other scripts' digits folded to ASCII."""
    folded = "".join(str(unicodedata.digit(c, c)) for c in unicodedata.normalize("NFKC", text))
    return "".join(c for c in folded if c.isalnum())


def decoded(raw):
    """Subject and text of a rendered message, as an independent parser reads them."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    texts = [str(parsed["subject"])]
    for piece in parsed.walk():
        if piece.get_content_maintype() == "text" and not piece.is_attachment():
            texts.append(piece.get_payload(decode=True).decode(piece.get_content_charset()))
    return texts


def check(record, raw):
    """Raises ValueError when a record breaks the rules of the corpus."""
    for key in ("id", "lang", "class", "code", "link", "forms", "difficulty", "from", "subject", "text", "html"):
        if key not in record:
            raise ValueError(f"field {key} is missing")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", record["id"]):
        raise ValueError("the id is not file-safe")
    if CLASSES.get(record["class"]) != (record["code"] is not None, record["link"] is not None):
        raise ValueError("class, code and link do not agree")
    if record["code"] and re.fullmatch(r"([A-Z]-)?\d[\d -]*", record["code"]) and not record["code"].isdigit():
        raise ValueError("a code of digits is given without prefix and separators")
    if record["difficulty"] not in LEVELS or record["cte"] not in CTES or not record["forms"]:
        raise ValueError("unknown difficulty or cte, or no forms")
    if record.get("structure") not in STRUCTURES + (None,):
        raise ValueError("unknown structure")
    if raw.count(b"\n") != raw.count(b"\r\n"):
        raise ValueError("a line does not end in CRLF")
    texts = decoded(raw)
    for key in ("subject", "text", "html"):
        if record[key] and bare(record[key]) not in map(bare, texts):
            raise ValueError(f"{key} does not survive the encoding")
    tags = re.compile(r'<[^>]*?\balt="([^"]*)"[^>]*>|<[^>]*>')  # an image shows its alt text
    shown = [bare(html.unescape(tags.sub(r"\1", text))) for text in texts]
    if record["code"] and not any(bare(record["code"]) in text for text in shown):
        raise ValueError("the code does not occur in the content")
    if record["link"] and not any(record["link"] in html.unescape(text) for text in texts):
        raise ValueError("the link does not occur in the content")


def render():
    """All files of the corpus: path to bytes."""
    files, seen = {}, set()
    for split in SPLITS:
        labels = []
        for source in sorted((ROOT / "texts").glob(f"*.{split}.jsonl")):
            for number, line in enumerate(source.read_text("utf-8").splitlines(), 1):
                record = {"charset": "utf-8", "cte": "8bit", **json.loads(line)}
                try:
                    raw = message(record)
                    check(record, raw)
                    if record["id"] in seen:
                        raise ValueError("the id is used twice")
                except (ValueError, KeyError, LookupError) as error:
                    sys.exit(f"{source.name}:{number}: {record.get('id')}: {error}")
                seen.add(record["id"])
                files[ROOT / split / f"{record['id']}.eml"] = raw
                labels.append({"file": f"{record['id']}.eml", **{key: record[key] for key in LABEL_KEYS}})
        listing = "".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels)
        files[ROOT / split / "labels.jsonl"] = listing.encode()
    return files


def main():
    files = render()
    present = {path for split in SPLITS for path in (ROOT / split).glob("*")}
    if "--check" in sys.argv[1:]:
        wrong = [p for p, data in files.items() if p not in present or p.read_bytes() != data]
        wrong += present - set(files)
        if wrong:
            sys.exit("out of date, run corpus/render.py: " + " ".join(sorted(p.name for p in wrong)[:10]))
        return
    for path in present - set(files):
        path.unlink()
    for path, data in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files) - len(SPLITS)} messages")


if __name__ == "__main__":
    main()
