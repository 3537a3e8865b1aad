"""Text as patterns see it."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: characters that the rules name, in traditional pages
_SIMPLIFIED = str.maketrans(
    "網頁題醫師藥護員專關閱讀點擊發佈時間瀏覽評論復復覆錄冊聲責參診斷據療據續區場預約線詢電話購買價優領優費廣體驗載號類標籤門診團隊學會員導覽總編輯來訪問無聯絡權權轉載圖視頻訊錄檢舉報貼樓訂單貸車徵過項條則後請們這個"
    "數資證處規聞聽氣熱歲說詳細關廳廠劑劃劉張陳黃楊吳趙鄭馮蔣韓葉蘇盧鍾譚龔蘭賴鄧蕭謝許羅詹紀潘範錢嚴萬應單顧龐賀歐陽",
    "网页题医师药护员专关阅读点击发布时间浏览评论复复复录册声责参诊断据疗据续区场预约线询电话购买价优领优费广体验载号类标签门诊团队学会员导览总编辑来访问无联络权权转载图视频讯录检举报贴楼订单贷车征过项条则后请们这个"
    "数资证处规闻听气热岁说详细关厅厂剂划刘张陈黄杨吴赵郑冯蒋韩叶苏卢钟谭龚兰赖邓萧谢许罗詹纪潘范钱严万应单顾庞贺欧阳",
)


def plain(text: str) -> str:
    """Text as patterns see it: compatibility forms folded (full-width colon to half), white space single, trimmed."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=4096)
def simplified(text: str) -> str:
    """Text of the same length in which the traditional characters that the rules name are simplified."""
    return text.translate(_SIMPLIFIED)
