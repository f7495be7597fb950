"""Telephones played by SIPp: real SIP, real speech, and a log with the time of every message."""

import asyncio
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from callcenter.demo.telephony.exchange import prompt_ones

STAMP = re.compile(
    r"^-{20,} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\n\w+ message (sent|received)[^\n]*\n\n([^\r\n]*)", re.M
)
SDP = """
v=0
o=u 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [{port}] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
"""
TOP = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n'


def _send(text: str, options: str = "") -> str:
    return f"<send{options}><![CDATA[\n{text.strip()}\n\n]]></send>\n"


def _answer(status: str, *, sdp: str = "", cseq: str = "[last_CSeq:]", tag: bool = True) -> str:
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:]" + (";tag=[pid]s[call_number]" if tag else ""),
    ]
    lines += ["[last_Call-ID:]", cseq, "Contact: <sip:uas@[local_ip]:[local_port]>"]
    if sdp:
        lines += ["Content-Type: application/sdp", "Content-Length: [len]"]
        return "\n".join(lines) + "\n" + sdp
    return "\n".join([*lines, "Content-Length: 0"])


def _request(method: str, cseq: int, *, body: str = "", kind: str = "") -> str:
    lines = [
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "[last_From:]",
        "[last_To:]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:caller@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
    ]
    if body:
        return "\n".join([*lines, f"Content-Type: {kind}", "Content-Length: [len]"]) + "\n\n" + body
    return "\n".join([*lines, "Content-Length: 0"])


def _hold(holds: tuple[float, float]) -> str:
    """A re-INVITE that only sends, and one that takes it back."""
    out = ""
    for cseq, seconds, way in ((2, holds[0], "sendonly"), (3, holds[1], "sendrecv")):
        sdp = SDP.format(port="rtpstream_audio_port").rstrip() + f"\na={way}\n"
        invite = _turned_round("INVITE", cseq).replace(
            "Content-Length: 0", "Contact: <sip:uas@[local_ip]:[local_port]>"
        )
        invite += "\nContent-Type: application/sdp\nContent-Length: [len]\n" + sdp
        out += f'<pause milliseconds="{round(seconds * 1000)}"/>\n' + _send(invite, ' retrans="500"')
        out += '<recv response="100" optional="true"/>\n<recv response="200"/>\n'
        out += _send(_turned_round("ACK", cseq))
    return out


def _turned_round(method: str, cseq: int) -> str:
    """A request within a dialogue that the other side began."""
    lines = [
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From:[$to];tag=[pid]s[call_number]",
        "To:[$from]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Rings, answers, speaks; hangs up after `talk_seconds`, or waits to be hung up. Keys: (digit, second).

    `holds`: puts the resident on hold so long after the answer, for so long. `calls`: so many times one after another.
    """

    ring_seconds: float = 1.0
    says: str = "agent"
    holds: tuple[float, float] | None = None
    talk_seconds: float | None = None
    keys: Sequence[tuple[str, float]] = ()
    calls: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Refuses:
    """`status` at once, or after ringing for so long."""

    status: str
    ring_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RingsOut:
    """Nobody comes to the phone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotRegistered:
    """There is no phone."""


Behaviour = Answers | Refuses | RingsOut | NotRegistered


def agent_scenario(does: Behaviour, audio: str) -> str:
    out = TOP.format(name="agent")
    out += '<recv request="INVITE" rrs="true"><action>'
    for name, header in (("cseq", "CSeq:"), ("from", "From:"), ("to", "To:")):
        out += f'<ereg regexp=".*" search_in="hdr" header="{header}" assign_to="{name}"/>'
    out += "</action></recv>\n" + _send(_answer("100 Trying", tag=False))
    ended = _send(_answer("200 OK", tag=False))
    match does:
        case Answers(ring_seconds=ring, talk_seconds=talk, keys=keys):
            out += _send(_answer("180 Ringing")) + f'<pause milliseconds="{round(ring * 1000)}"/>\n'
            port = "media_port" if keys else "rtpstream_audio_port"
            out += _send(_answer("200 OK", sdp=SDP.format(port=port)), ' retrans="500"')
            play = f'play_pcap_audio="{audio}.pcap"' if keys else f'rtp_stream="{audio}.al,-1,8,PCMA/8000"'
            out += f'<recv request="ACK"/>\n<nop><action><exec {play}/></action></nop>\n'
            out += _hold(does.holds) if does.holds else ""
            if talk is None:
                out += '<recv request="BYE"/>\n' + ended
            else:
                out += f'<pause milliseconds="{round(talk * 1000)}"/>\n' + _send(
                    _turned_round("BYE", 2), ' retrans="500"'
                )
                out += '<recv response="200"/>\n'
        case Refuses(status=status, ring_seconds=ring):
            if ring:
                out += _send(_answer("180 Ringing")) + f'<pause milliseconds="{round(ring * 1000)}"/>\n'
            out += _send(_answer(status), ' retrans="500"') + '<recv request="ACK"/>\n'
        case RingsOut() | NotRegistered():
            out += _send(_answer("180 Ringing")) + '<recv request="CANCEL"/>\n' + _send(_answer("200 OK"))
            out += _send(_answer("487 Request Terminated", cseq="CSeq:[$cseq]"), ' retrans="500"')
            out += '<recv request="ACK"/>\n'
    return out + '<Reference variables="cseq,from,to"/>\n</scenario>\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Phones, speaks once answered, hangs up so many seconds after the answer (None: waits to be hung up).

    `keys` are pressed by RFC 4733 in the sound itself, `info_keys` by SIP INFO: (digit, second after the answer).
    """

    hang_up_seconds: float | None = 10.0
    keys: Sequence[tuple[str, float]] = ()
    info_keys: Sequence[tuple[str, float]] = ()
    number: str = "+8613812346207"


def caller_scenario(does: Caller, audio: str, *, line: str) -> str:
    port = "media_port" if does.keys else "rtpstream_audio_port"
    invite = [
        "INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        f'From: "Resident" <sip:{does.number}@[local_ip]:[local_port]>;tag=[pid]t[call_number]',
        "To: <sip:[service]@[remote_ip]:[remote_port]>",
        "Call-ID: [call_id]",
        "CSeq: 1 INVITE",
        "Contact: <sip:caller@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        f"X-Line: {line}",
        "Content-Type: application/sdp",
        "Content-Length: [len]",
    ]
    out = TOP.format(name="caller") + _send("\n".join(invite) + "\n" + SDP.format(port=port), ' retrans="500"')
    for code in ("100", "180", "183"):
        out += f'<recv response="{code}" optional="true"/>\n'
    out += '<recv response="200" rrs="true"/>\n' + _send(_request("ACK", 1))
    play = f'play_pcap_audio="{audio}.pcap"' if does.keys else f'rtp_stream="{audio}.al,-1,8,PCMA/8000"'
    out += f"<nop><action><exec {play}/></action></nop>\n"
    passed, cseq = 0.0, 2
    for digit, second in does.info_keys:
        out += f'<pause milliseconds="{round((second - passed) * 1000)}"/>\n'
        info = _request("INFO", cseq, body=f"Signal={digit}\nDuration=160\n", kind="application/dtmf-relay")
        out += _send(info, ' retrans="500"') + '<recv response="200"/>\n'
        passed, cseq = second, cseq + 1
    if does.hang_up_seconds is None:
        return out + '<recv request="BYE"/>\n' + _send(_answer("200 OK", tag=False)) + "</scenario>\n"
    out += f'<pause milliseconds="{round((does.hang_up_seconds - passed) * 1000)}"/>\n'
    return out + _send(_request("BYE", cseq), ' retrans="500"') + '<recv response="200"/>\n</scenario>\n'


def write_keyed_speech(target: Path, speech: bytes, seconds: float, keys: Sequence[tuple[str, float]]) -> None:
    """One RTP stream in a pcap file: A-law speech, with keys as telephone events (RFC 4733) in between."""
    events = {}
    for digit, at in keys:
        code, first = "0123456789*#".index(digit), round(at * 50)
        for step in range(8):
            events[first + step] = (code, 160000 + first * 160, min(160 * (step + 1), 1280), step)
    packets, sequence = [], 1000
    for number in range(round(seconds * 50)):
        if number in events:
            code, stamp, length, step = events[number]
            for again in range(3 if step == 7 else 1):
                payload = struct.pack("!BBH", code, (0x80 if step == 7 else 0) | 10, length)
                head = struct.pack(
                    "!BBHII", 0x80, 101 | (0x80 if step == 0 else 0), sequence & 0xFFFF, stamp, 0x1234ABCD
                )
                packets.append((number * 0.02 + again * 0.0005, head + payload))
                sequence += 1
        else:
            at = (number * 160) % (len(speech) - 160)
            mark = 8 | (0x80 if number == 0 else 0)
            head = struct.pack("!BBHII", 0x80, mark, sequence & 0xFFFF, 160000 + number * 160, 0x1234ABCD)
            packets.append((number * 0.02, head + speech[at : at + 160]))
            sequence += 1
    with target.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at_seconds, rtp in packets:
            udp = struct.pack("!HHHH", 31000, 20000, 8 + len(rtp), 0) + rtp
            addresses = (bytes([127, 0, 0, 2]), bytes([127, 0, 0, 1]))
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, *addresses)
            frame = bytes(12) + b"\x08\x00" + ip + udp
            seconds_part = int(at_seconds), int((at_seconds % 1) * 1e6)
            file.write(struct.pack("<IIII", *seconds_part, len(frame), len(frame)) + frame)


@dataclass(kw_only=True)
class Phone:
    """One SIPp process: one call."""

    folder: Path
    name: str
    address: str
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def start(self, scenario: str, *arguments: str, calls: int = 1, seconds: float = 100) -> None:
        """`calls`: it ends after so many. `seconds`: it waits so long for what is to come, and then gives up."""
        (self.folder / f"{self.name}.xml").write_text(scenario, encoding="latin-1")
        self.process = await asyncio.create_subprocess_exec(
            *(
                *(*prompt_ones(), "sipp", "-sf", f"{self.name}.xml"),
                *("-i", self.address, "-mi", self.address, "-p", "5060", "-m", str(calls)),
            ),
            *("-mp", "30000", "-timeout", f"{round(seconds)}s", "-nostdin"),
            *("-recv_timeout", str(round(seconds - 5) * 1000)),
            *("-trace_msg", "-message_file", f"{self.name}.log", *arguments),
            cwd=self.folder,
            env={**os.environ, "TZ": "UTC"},
            stdout=(self.folder / f"{self.name}.out").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )

    async def ended(self, seconds: float = 90) -> int:
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), seconds)

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def messages(self) -> list[tuple[datetime, str, str]]:
        """(when, sent or received, first line), in order."""
        log = self.folder / f"{self.name}.log"
        text = log.read_text(encoding="latin-1").replace("\r\n", "\n") if log.exists() else ""
        return [(datetime.fromisoformat(at).replace(tzinfo=UTC), way, line) for at, way, line in STAMP.findall(text)]

    def time_of(self, start: str, way: str = "sent") -> datetime:
        """When the first message that starts so was sent (or received)."""
        found = [at for at, said, line in self.messages() if said == way and line.startswith(start)]
        assert found, f"{self.name}: no {start!r} {way}; there is {[line for _, _, line in self.messages()]}"
        return found[0]
