"""Taking names, home addresses and account names out of a question before it is kept.

What numbers look like is fixed (scrubbing.py); names and addresses are known by the words around them. A rule asks for
such a word, so that illnesses stay: 高 is a surname, and 高血压 no name. What may be a name after a clear cue goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

NAME, PLACE, ACCOUNT = "〔姓名〕", "〔地址〕", "〔账号〕"

# The most frequent surnames (Ministry of Public Security, report on names 2020, and those of more than a million).
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊"
    "白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖庞樊殷施文洪翟安颜倪牛温芦季俞章鲁葛毕聂焦霍左柴包祝纪欧单裴游骆管"
)
_DOUBLE = "欧阳|上官|司马|诸葛|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|东方|南宫"
_HAN = "[\u4e00-\u9fff]"
#: characters of which illnesses, complaints, and what is done about them are made: no given name in a query has them
_NOT_IN_NAMES = (
    "病症痛疼炎癌瘤疮疹癣疾患医药治疗血压糖尿肝肾肺胃肠脑心脏骨头皮肤肿胀痒咳嗽喘晕吐泻热烧烫伤孕产奶检查术怎么吗呢了的是不有没能会可吃喝多少几什"
    "哪为需要得很该便时候种样被把给对从就因想后前"
)
_GIVEN = f"(?![{_NOT_IN_NAMES}]){_HAN}(?:(?![{_NOT_IN_NAMES}]){_HAN})?"
_PERSON = f"(?:(?:{_DOUBLE})|[{_SURNAMES}]){_GIVEN}"
_WHO = "我|他|她|本人|患者|病人|孩子|宝宝|儿子|女儿|老公|老婆|妈妈|爸爸|父亲|母亲"
_END = "(?=$|[^\u4e00-\u9fff]|今年|现在|[男女患得是的有在想他她住])"
_CALLED = re.compile(
    rf"((?:名字|姓名|大名)(?:是|叫|为)?[:： ]?)({_PERSON})"
    rf"|((?:{_WHO})(?:名|就)?叫)({_PERSON})"
    rf"|((?:患者|病人|本人|我是|联系人|就诊人|收件人)[:： ]?)({_PERSON}){_END}"
)
_TITLES = "主任|教授|医生|医师|大夫|老师|院长|护士|主治|副主任|住院医"
_DOCTOR = re.compile(rf"({_PERSON})(?={_TITLES})")
_ACCOUNTS = re.compile(
    r"((?:微信号?|wechat|vx|v信|威信|加v|qq号?|扣扣|企鹅号|抖音号?|快手号?|账号|用户名|身份证号?)(?:是|为)?[:： ]?)"
    r"([A-Za-z0-9_\-]{5,30})",
    re.IGNORECASE,
)

# A house: its number and what is counted. An address: houses behind the name of a street or of an estate, or two and
# more of them.
_HOUSE = r"[0-9A-Za-z一二三四五六七八九十百零〇]{1,6}(?:号楼|号院|[号栋幢座室弄层楼户]|单元)"
_HOUSES = re.compile(rf"(?<![0-9A-Za-z])(?:{_HOUSE}){{1,5}}")
_STREETS = tuple("路 街 大道 巷 弄 胡同 村 镇 乡 屯 庄 小区 花园 家园 新村 社区 公寓 大厦 苑 寓".split())
_MAX_BEFORE_CHARS = 24  #: of province, city, district and street
_LIVING = re.compile("家住|住在|我住|住址[是在]?|地址[是在]?|家在|寄到|送到|我在|[^\u4e00-\u9fff]")
_RESIDENCE = re.compile(
    r"((?:家住|住在|我住|住址(?:是|在)?|地址(?:是|在)?|家在|寄到|送到)[:： ]?)"
    r"([\u4e00-\u9fff]{2,20}?(?:小区|花园|家园|新村|社区|公寓|大厦|[路街巷村镇乡屯庄])(?![上边口的]))"
)


#: pattern, what it stands for, and the group that is replaced; the rest is the cue and stays
_RULES: tuple[tuple[re.Pattern[str], str, tuple[int, ...]], ...] = (
    (_ACCOUNTS, ACCOUNT, (2,)),
    (_CALLED, NAME, (2, 4, 6)),
    (_DOCTOR, NAME, (1,)),
    (_RESIDENCE, PLACE, (2,)),
)


def scrub_words(text: str, known: Collection[str] = ()) -> str:
    """`text` with names, home addresses and account names replaced by what they are. What overlaps a `known` word, as
    the name of an illness, stays.
    """
    for pattern, name, groups in _RULES:
        kept = [found.span() for word in known if len(word) > 1 for found in re.finditer(re.escape(word), text)]
        text = _replaced(text, pattern, name, groups, kept)
    return _without_addresses(text)


def _without_addresses(text: str) -> str:
    """Houses with what stands before them, back to where the place begins to be named."""
    parts: list[str] = []
    done = 0
    for found in _HOUSES.finditer(text):
        first = max(done, found.start() - _MAX_BEFORE_CHARS)
        before = text[first : found.start()]
        has_street = before.endswith(_STREETS)
        houses = len(re.findall(_HOUSE, found[0]))
        if has_street:
            start = max([first, *(first + cue.end() for cue in _LIVING.finditer(before))])
        elif houses > 1 or before.endswith(PLACE):  # its street is gone already
            start = found.start()
        else:
            continue
        parts += [text[done:start], PLACE]
        done = found.end()
    return re.sub(f"(?:{PLACE})+", PLACE, "".join([*parts, text[done:]]))


def _replaced(
    text: str, pattern: re.Pattern[str], name: str, groups: tuple[int, ...], kept: Sequence[tuple[int, int]]
) -> str:
    parts: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        start, end = next((found.span(group) for group in groups if found[group]), (0, 0))
        if start == end or any(start < kept_end and kept_start < end for kept_start, kept_end in kept):
            continue
        parts += [text[done:start], name]
        done = end
    return "".join([*parts, text[done:]])
