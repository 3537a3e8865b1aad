"""Five raw pages with nothing to search in them: each must be rejected, none may stop a build."""

from __future__ import annotations

from dataclasses import dataclass

from page_templates import wording
from page_templates.layout_dumps import farm_links
from page_templates.variety import Variety


@dataclass(frozen=True)
class RejectedPage:
    """A page that no source describes."""

    id: str
    site: str
    suffix: str
    text: str
    codec: str
    declared: str | None = None  #: the encoding its <meta> names


_NAVIGATION_ONLY = """<!DOCTYPE html>
<html><head><meta charset="gbk"><title>频道首页_松间健康网</title>
<link rel="stylesheet" href="https://static.jiankang.example/css/pindao.css"></head>
<body>
<div class="dingbu"><a href="https://my.jiankang.example/login">登录</a>|<a href="https://my.jiankang.example/reg">免费注册</a></div>
<div class="daohang"><ul><li><a href="/">首页</a><li><a href="/bk/">疾病百科</a><li><a href="/zc/">症状自查</a>
<li><a href="/ks/">科室大全</a><li><a href="/yy/">用药须知</a><li><a href="/ye/">育儿</a></ul></div>
<div class="ad-box"><a href="//zixun.example/to?id=101">点击咨询在线专家，名额有限先到先得>></a></div>
<div class="liebiao"><a href="/ks/1/">内科</a>&nbsp;<a href="/ks/2/">外科</a>&nbsp;<a href="/ks/3/">儿科</a>&nbsp;
<a href="/ks/4/">皮肤科</a>&nbsp;<a href="/ks/5/">五官科</a>&nbsp;<a href="/more/">更多&gt;&gt;</a></div>
<div class="guanggao"><p>加微信 songjian-kf08，免费领取调理方案一份</p><p>预约电话：400-000-0000</p></div>
<div class="yejiao"><a href="/about/">关于我们</a>
|<a href="/map/">网站地图</a><br>Copyright &copy; 2012-2025 虚ICP备00000001号-1</div>
</body></html>
"""

_LOGIN_WALL = """<!doctype html>
<html lang="zh-CN"><head>
<meta http-equiv="Content-Type" content="text/html; charset=gb2312" />
<title>请先登录_苇航问医网</title>
<script>var back = "/q/";</script></head>
<body>
<div id="top"><a class="logo" href="https://wenyi.example/">苇航问医网</a></div>
<div class="denglu_k" style="width:360px;margin:80px auto">
<h1>登录后查看医生回答</h1>
<p>该内容仅对会员开放，请登录或注册后继续浏览。</p>
<form action="https://i.wenyi.example/login" method=post>
手机号：<input type=text name=sj><br>
验证码：<input type=text name=yzm size=6> <a href="#">获取验证码</a><br>
<button type=submit>登录</button> <a href="https://i.wenyi.example/zhuce">立即注册</a>
</form>
<p>登录即表示同意<a href="/xieyi.html">用户协议</a>和<a href="/yinsi.html">隐私政策</a></p>
</div>
<div id="foot">本页值班编辑：孟珺玥&nbsp;&nbsp;&copy;2014-2025 wenyi.example&nbsp;&nbsp;虚ICP备00000002号</div>
</body></html>
"""

_NOT_FOUND = """<!doctype html>
<html lang="zh-CN"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>页面不存在_苇航问医网</title>
<meta http-equiv="refresh" content="5;url=https://wenyi.example/"></head>
<body>
<div class="cuowu" style="text-align:center;padding:120px 0">
<h1>页面不存在</h1>
<p>抱歉，您访问的问题已被删除或地址有误。</p>
<p>5秒后自动<a href="https://wenyi.example/">返回首页</a>，或者<a href="https://wenyi.example/so">搜索其他问题</a></p>
</div>
<div id="foot">&copy;2014-2025 wenyi.example&nbsp;&nbsp;虚ICP备00000002号</div>
</body></html>
"""


def _link_farm_only() -> str:
    """What is left of a topic page whose article was taken away."""
    return "\n\n".join(["可能关注", " ".join(farm_links(Variety("link-farm-only"))), wording.ZHUANTI_DISCLAIMER])


REJECTED_PAGES = (
    RejectedPage("empty-file", "html-article", ".html", "", "utf-8"),
    RejectedPage("navigation-only", "html-article", ".html", _NAVIGATION_ONLY, "gbk", "gbk"),
    RejectedPage("login-wall", "html-qa", ".html", _LOGIN_WALL, "gb18030", "gb2312"),
    RejectedPage("page-not-found", "html-qa", ".html", _NOT_FOUND, "utf-8", "utf-8"),
    RejectedPage("link-farm-only", "zhuanti", ".txt", _link_farm_only(), "utf-8"),
)
