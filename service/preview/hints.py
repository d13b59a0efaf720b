"""How what went wrong with a connection is mended, for the one who sets the gateway up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from detectors.contract import Bilingual
from service.ingest.events import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    ProtocolViolation,
)
from service.preview.values import PreviewRefusal


def refusal(code: str, message: str) -> PreviewRefusal:
    """With the hint that belongs to the code."""
    return PreviewRefusal(code=code, message=message, hint=HINTS[code])


def refusal_of(violation: ProtocolViolation, *, live: bool) -> PreviewRefusal:
    """What ended a connection; `live`: it had a call."""
    return refusal(_code(violation, live=live), str(violation))


def _code(violation: ProtocolViolation, *, live: bool) -> str:
    if violation.close_code == CLOSE_INTERNAL_ERROR:
        return "failed"
    if violation.field == "connection":
        return "silent" if live else "no_start"
    if violation.close_code == CLOSE_TOO_BIG:
        return "too_big"
    if violation.field in ("token", "events"):
        return violation.field
    if live:
        return "protocol"
    return "unsupported" if violation.close_code == CLOSE_UNSUPPORTED else "start"


HINTS: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {
        "no_key": Bilingual(
            zh="连接没有带网关密钥。请把密钥放进请求头（Authorization: Bearer）、Basic 密码或地址末尾；"
            "用其他凭证时，地址末尾写来源名称。",
            en="The connection shows no gateway key. Put it into a header (Authorization: Bearer), the Basic password "
            "or the end of the path; with another credential, name the source there.",
        ),
        "unknown_key": Bilingual(
            zh="没有这把密钥。请核对是否复制完整，或到“网关密钥”页新建一把。",
            en="There is no such key. Check that it was copied whole, or make one on the page “Gateway keys”.",
        ),
        "wrong_secret": Bilingual(
            zh="密钥编号对，后半段不对。请核对是否复制完整；找不回原文时新建一把。",
            en="The key's id is right and its second half is not. Check that it was copied whole; if it is lost, make "
            "another.",
        ),
        "revoked": Bilingual(
            zh="这把密钥已吊销。请在网关上换成有效的密钥。",
            en="This key has been revoked. Give the gateway one that is in force.",
        ),
        "no_right": Bilingual(
            zh="这把密钥没有推送通话的权限。请新建一把带此权限的。",
            en="This key may not stream calls. Make one that may.",
        ),
        "unknown_source": Bilingual(
            zh="地址末尾的名称不是已登记的来源。请核对拼写，或先新建来源。",
            en="The name at the end of the path is no source's. Check how it is written, or make the source first.",
        ),
        "wrong_credential": Bilingual(
            zh="请求头或用户名密码与登记的凭证不一致。请核对网关上的配置，或在此重设密文。",
            en="The header, or user and password, are not those of the source's credential. Check the gateway's, or "
            "set the secret anew here.",
        ),
        "wrong_signature": Bilingual(
            zh="签名对不上。多半是公网地址与厂商连接的地址不同（协议、端口、路径），或密文不是该账号的。"
            "请核对来源的公网地址，再核对密文和服务器时钟。",
            en="The signature does not fit. Mostly the public URL is not the one that the vendor connects to (scheme, "
            "port, path), or the secret is another account's. Check the source's public URL, then its secret and this "
            "machine's clock.",
        ),
        "other_source": Bilingual(
            zh="密钥属于另一个来源，与地址末尾的名称不符。请统一两者。",
            en="The key is another source's than the path names. Let both be the same.",
        ),
        "other_dialect": Bilingual(
            zh="这个来源登记的接入协议不是此地址的协议。请改用对应地址，或修改来源的接入协议。",
            en="The source speaks another dialect than this address. Connect to its own, or change the source's.",
        ),
        "other_network": Bilingual(
            zh="连接来自未允许的网段。请把此地址加入来源的网段；经过反向代理时，还要设置 CALLWARDEN_TRUSTED_PROXIES。",
            en="It connects from a network that the source does not name. Add this address to the source's; behind a "
            "proxy, set CALLWARDEN_TRUSTED_PROXIES too.",
        ),
        "no_public_url": Bilingual(
            zh="没有公网地址，无法核验签名。请填写来源的公网地址，或设置 CALLWARDEN_PUBLIC_URL。",
            en="Without a public URL no signature can be checked. Give the source one, or set CALLWARDEN_PUBLIC_URL.",
        ),
        "secret_unreadable": Bilingual(
            zh="密文无法解封：主密钥文件缺失或已更换。请恢复主密钥，或重设密文。",
            en="The secret cannot be unsealed: the master key's file is missing or another. Restore it, or set the "
            "secret anew.",
        ),
        "store_away": Bilingual(
            zh="数据库暂时无法读取，查不到密钥。恢复后网关重连即可。",
            en="The database cannot be asked, so no key can be looked up. The gateway gets in once it is back.",
        ),
        "path": Bilingual(
            zh="这个地址不接受话务。请核对路径，各接入协议的地址见文档。",
            en="No gateway connects at this path. Check it against the address of the dialect.",
        ),
        "token": Bilingual(
            zh="UUID 不是预约得来的，或已过期、已用过。请先用密钥调用 POST /v1/reservations，再用返回的 UUID 拨出。",
            en="The UUID was not reserved, or is over. Ask POST /v1/reservations for one with a key, and dial with it.",
        ),
        "events": Bilingual(
            zh="通话要求取回事件，而密钥没有此权限。请去掉请求，或新建带“取回事件”的密钥。",
            en="The call asks for its events, and the key may not have them. Do not ask, or make a key that may.",
        ),
        "no_start": Bilingual(
            zh="连上之后没有发来通话开始的消息。请核对地址与厂商协议是否对应，厂商一侧是否真的开始推流。",
            en="Nothing announced a call. Check that the address is this vendor's, and that it begins to stream.",
        ),
        "unsupported": Bilingual(
            zh="发来的不是此协议能识别的内容，或编码不支持。请核对地址对应的协议和网关的编码设置。",
            en="What came is not of this dialect, or of an encoding that is not taken. Check the address, and how the "
            "gateway encodes.",
        ),
        "start": Bilingual(
            zh="开始消息里有字段不对，通话无法建立。上面指明了字段，请在厂商一侧改正。",
            en="A field of the first messages is wrong, so no call can begin. It is named above. Mend it there.",
        ),
        "protocol": Bilingual(
            zh="通话中发来了协议不允许的内容，连接因此结束，此前的声音已保留。",
            en="Something came within the call that the protocol does not allow, which ended the connection. What came "
            "before is kept.",
        ),
        "too_big": Bilingual(
            zh="单条消息过大。请缩短每包时长或减少元数据。",
            en="A message is too big. Send shorter packets, or less metadata.",
        ),
        "silent": Bilingual(
            zh="长时间没有数据，按来源的“无数据断开”结束。静音时不发包的网关，请加长此时间。",
            en="Nothing came for as long as the source allows. Allow more where the gateway sends no silence.",
        ),
        "quota": Bilingual(
            zh="这个来源的并发通话或识别量已满。请提高上限，或等通话结束。",
            en="The source has as many calls as it may. Allow more, or wait for one to end.",
        ),
        "capacity": Bilingual(
            zh="服务的并发通话已满。网关可稍后重试。",
            en="As many calls are live as the service takes. The gateway may try again.",
        ),
        "overload": Bilingual(
            zh="识别已忙，暂不接新通话。网关可稍后重试；常见时请增加算力。",
            en="Recognition is busy. The gateway may try again; if it happens often, the machine is too small.",
        ),
        "conflict": Bilingual(
            zh="同一编号的通话正在进行，声道不同。请确认各条连接的通话编号和角色。",
            en="A call of this id is live with other legs. Check the call ids and roles of its connections.",
        ),
        "ending": Bilingual(
            zh="同一编号的上一通话还在收尾。网关可稍后重试。",
            en="The call of this id is still being written. The gateway may try again.",
        ),
        "restarting": Bilingual(
            zh="服务正在重启。网关重连后继续。",
            en="The service restarts. The gateway goes on when it connects again.",
        ),
        "failed": Bilingual(
            zh="服务自身出错，通话可重新接入。请查看服务日志。",
            en="The service failed in this call, which may be announced again. Its log tells why.",
        ),
    }
)
