//! Hostile and sloppy HTML with what becomes of it, to the character.

use proptest::prelude::*;

use super::{CleanOptions, MAX_OCTETS, RemoteImages, clean_html, text_to_html};

fn options() -> CleanOptions {
    CleanOptions { inline: [("known".to_owned(), "/parts/3".to_owned())].into(), remote: RemoteImages::Block }
}

/// HTML, what is left of it, and how many references to content elsewhere were left out.
#[rustfmt::skip]
const CASES: &[(&str, &str, usize)] = &[
    ("<script>alert(1)</script>after", "after", 0),
    ("<SCRIPT SRC=http://evil.example/x.js></SCRIPT>x", "x", 0),
    ("<scr<script>ipt>alert(1)</scr</script>ipt>", "ipt&gt;alert(1)ipt&gt;", 0),
    ("<script>unclosed", "", 0),
    ("<img src=x onerror=alert(1)>", "<img>", 0),
    ("<img src=\"cid:known\" onload=\"alert(1)\" alt=\"A\">", "<img src=\"/parts/3\" alt=\"A\">", 0),
    ("<img src=cid:unknown alt=B>", "<img alt=\"B\">", 0),
    ("<img src=\"https://t.example/p.gif\" width=1 height=1>", "<img width=\"1\" height=\"1\">", 1),
    ("<img src=\"//t.example/p.gif\">", "<img>", 1),
    ("<img src=\"data:image/png;base64,iVBORw0KGgo=\">", "<img src=\"data:image/png;base64,iVBORw0KGgo=\">", 0),
    ("<img src=\"data:image/svg+xml;base64,PHN2Zy8+\">", "<img>", 0),
    ("<img src=\"data:text/html;base64,PHNjcmlwdD4=\">", "<img>", 0),
    ("<img srcset=\"https://t.example/a 2x\" src=\"javascript:alert(1)\">", "<img>", 0),
    ("<img src=\"/api/v1/delete?all\">", "<img>", 0),
    ("<image src=\"http://t.example/a\">", "<img>", 1),
    ("<a href=\"javascript:alert(1)\">x</a>", "x", 0),
    ("<a href=\"JaVaScRiPt:alert(1)\">x</a>", "x", 0),
    ("<a href=\"java&#10;script:alert(1)\">x</a>", "x", 0),
    ("<a href=\"java&Tab;script&colon;alert(1)\">x</a>", "x", 0),
    ("<a href=\"&#x6a;avascript:alert(1)\">x</a>", "x", 0),
    ("<a href=\" &#14; javascript:alert(1)\">x</a>", "x", 0),
    ("<a href=\"data:text/html,<script>alert(1)</script>\">x</a>", "x", 0),
    ("<a href=\"vbscript:msgbox(1)\">x</a>", "x", 0),
    ("<a href=\"file:///etc/passwd\">x</a>", "x", 0),
    ("<a href=\"/login?next=//evil\">x</a>", "x", 0),
    ("<a href=\"https://example.org/?a=1&b=2&amp;c=3\" onclick=\"x()\">go</a>", "<a href=\"https://example.org/?a=1&amp;b=2&amp;c=3\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">go</a>", 0),
    ("<a href=\"mailto:a@example.org\">mail</a>", "<a href=\"mailto:a@example.org\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">mail</a>", 0),
    ("<a href=\"http://example.org\" target=\"_self\" rel=\"opener\">x</a>", "<a href=\"http://example.org\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>", 0),
    ("<a href=\"https://example.org/\" style=\"position:fixed;top:0;left:0;width:100%;height:100%\">cover</a>", "<a href=\"https://example.org/\" target=\"_blank\" rel=\"noopener noreferrer nofollow\" style=\"width:100%;height:100%\">cover</a>", 0),
    ("<a name=\"top\" id=\"location\">anchor</a>", "anchor", 0),
    ("<div id=\"app\" class=\"btn\" name=\"body\">x</div>", "<div>x</div>", 0),
    ("<form action=\"https://evil.example\"><input name=user><button>Sign in</button><textarea>t</textarea></form>", "Sign in", 0),
    ("<form id=x></form><button form=x formaction=javascript:alert(1)>X</button>", "X", 0),
    ("<iframe src=\"https://evil.example\"></iframe>y", "y", 0),
    ("<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>z", "z", 0),
    ("<object data=\"x.swf\"><param name=a>inside</object>", "inside", 0),
    ("<embed src=\"javascript:alert(1)\">e", "e", 0),
    ("<applet code=X></applet>a", "a", 0),
    ("<base href=\"https://evil.example/\"><a href=\"x\">x</a>", "x", 0),
    ("<meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\">m", "m", 0),
    ("<link rel=stylesheet href=\"https://evil.example/x.css\">l", "l", 0),
    ("<style>@import \"https://evil.example/x.css\"; body{display:none}</style>s", "s", 0),
    ("<style><!--</style><img src=x onerror=alert(1)>-->", "<img>--&gt;", 0),
    ("<svg onload=alert(1)><text>t</text></svg>", "t", 0),
    ("<svg><script>alert(1)</script></svg>", "", 0),
    ("<svg><animate attributeName=href values=javascript:alert(1) /><a href=\"https://example.org\">x</a></svg>", "<a href=\"https://example.org\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>", 0),
    ("<svg><use href=\"data:image/svg+xml,<svg id='x'/>\"/></svg>", "", 0),
    ("<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">", "<table><tbody><tr><td><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\"></td></tr></tbody></table>", 0),
    ("<math><annotation-xml encoding=\"text/html\"><style><img src=x onerror=alert(1)></style></annotation-xml></math>", "", 0),
    ("<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>", "", 0),
    ("<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">", "<img>\"&gt;", 0),
    ("<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<p title=\"&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;\"></p>", 0),
    ("<title><img title=\"</title><img src=x onerror=alert(1)>\">", "<img>\"&gt;", 0),
    ("<textarea></textarea><img src=x onerror=alert(1)></textarea>", "<img>", 0),
    ("<xmp><img src=x onerror=alert(1)></xmp>x", "x", 0),
    ("<plaintext><img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;", 0),
    ("<template><img src=x onerror=alert(1)></template>", "<img>", 0),
    ("<select><option><style></option></select><img src=x onerror=alert(1)></style>", "", 0),
    ("<!--><img src=x onerror=alert(1)>-->", "<img>--&gt;", 0),
    ("<!--[if mso]><table><tr><td><![endif]-->text<!--[if mso]></td></tr></table><![endif]-->", "text", 0),
    ("<![CDATA[<img src=x onerror=alert(1)>]]>", "]]&gt;", 0),
    ("<?php <img src=x onerror=alert(1)> ?>", " ?&gt;", 0),
    ("</<img src=x onerror=alert(1)>", "", 0),
    ("<p style=\"background:url(https://t.example/x)\">x</p>", "<p>x</p>", 1),
    ("<p style=\"background-image:url(//t.example/x);color:red\">x</p>", "<p style=\"color:red\">x</p>", 1),
    ("<p style=\"width:expression(alert(1))\">x</p>", "<p>x</p>", 0),
    ("<p style=\"behavior:url(x.htc);-moz-binding:url(x.xml#y)\">x</p>", "<p>x</p>", 1),
    ("<p style=\"color:red;position:absolute;z-index:9999;top:0\">x</p>", "<p style=\"color:red\">x</p>", 0),
    ("<p style=\"margin-top:-5000px\">x</p>", "<p>x</p>", 0),
    ("<p style=\"width:99999px;height:1e9px\">x</p>", "<p>x</p>", 0),
    ("<p style=\"c\\6flor:red;color:/**/blue\">x</p>", "<p>x</p>", 0),
    ("<p style=\"color:red&quot; onmouseover=&quot;alert(1)\">x</p>", "<p>x</p>", 0),
    ("<p style=\"font-family:'Arial',sans-serif;font-size:14px!important;COLOR: #FFF\">x</p>", "<p style=\"font-family:'Arial',sans-serif;font-size:14px!important;color:#FFF\">x</p>", 0),
    ("<p style='font-family:\"'>x</p>", "<p>x</p>", 0),
    ("<p style=\"display:flex;display:none\">hidden</p>", "<p style=\"display:none\">hidden</p>", 0),
    ("<p style=\"color:rgba(1,2,3,.5);background:linear-gradient(red,blue)\">x</p>", "<p style=\"color:rgba(1,2,3,.5)\">x</p>", 0),
    ("<table background=\"https://t.example/bg.png\" width=\"600\"><tr><td bgcolor=\"#eee\" width=\"100%\">c</td></tr></table>", "<table width=\"600\"><tbody><tr><td width=\"100%\" bgcolor=\"#eee\">c</td></tr></tbody></table>", 1),
    ("<td>no table</td>", "no table", 0),
    ("<table><div>moved</div><tr><td>c</table>", "<table><tbody><tr><td><div>moved</div></td></tr><tr><td>c</td></tr></tbody></table>", 0),
    ("<table>text<td>c", "<table><tbody><tr><td>text</td><td>c</td></tr></tbody></table>", 0),
    ("<table><tr><td><table><tr><td>in</table>after</table>", "<table><tbody><tr><td><table><tbody><tr><td>in</td></tr></tbody></table>after</td></tr></tbody></table>", 0),
    ("<b><i>x</b>y</i>z", "<b><i>x</i></b>yz", 0),
    ("<p>a<p>b<div>c</p>d", "<p>a</p><p>b</p><div>cd</div>", 0),
    ("<a href=http://a.example>1<a href=http://b.example>2</a>", "<a href=\"http://a.example\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">1</a><a href=\"http://b.example\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">2</a>", 0),
    ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>", 0),
    ("<body onload=alert(1) style=\"background-color:#eee\">hi</body>", "<div style=\"background-color:#eee\">hi</div>", 0),
    ("<pre>\n\n  two\nlines</pre>", "<div style=\"white-space:pre-wrap;font-family:monospace\">\n\n  two\nlines</div>", 0),
    ("<p title=\"&quot;><img src=x onerror=alert(1)>\">x</p>", "<p title=\"&quot;&gt;&lt;img src=x onerror=alert(1)&gt;\">x</p>", 0),
    ("<p title='\"onmouseover=\"alert(1)'>x</p>", "<p title=\"&quot;onmouseover=&quot;alert(1)\">x</p>", 0),
    ("<p/onmouseover=alert(1)/title=t>x</p>", "<p>x</p>", 0),
    ("<p onmouseover\t=\talert(1)\tx>y</p>", "<p>y</p>", 0),
    ("<a href=\"https://example.org", "", 0),
    ("<p>5 < 6 && 7 > 3 &lt;b&gt; &amp;lt; &nbsp;&eacute;&#146;&#0;</p>", "<p>5 &lt; 6 &amp;&amp; 7 &gt; 3 &lt;b&gt; &amp;lt; &nbsp;é’�</p>", 0),
    ("<font color=\"red\" face=\"Arial, 'x'\" size=\"+1\" onclick=x>f</font>", "<font size=\"+1\" color=\"red\" face=\"Arial, 'x'\">f</font>", 0),
    ("<td colspan=100000><table><tr><td colspan=9999 rowspan=2>x", "<table><tbody><tr><td rowspan=\"2\">x</td></tr></tbody></table>", 0),
    ("<video poster=\"https://t.example/p\" src=x><source src=y>v</video>", "v", 0),
    ("<input type=image src=\"https://t.example/x\" autofocus onfocus=alert(1)>", "", 0),
    ("<details open ontoggle=alert(1)>d</details>", "d", 0),
    ("<marquee onstart=alert(1)>m</marquee>", "m", 0),
    ("<isindex action=javascript:alert(1) prompt=x>", "", 0),
    ("<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>", "", 0),
    ("<a href=\"https://example.org/\" ping=\"https://t.example/p\" download>x</a>", "<a href=\"https://example.org/\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>", 0),
    ("<span data-remote=\"x\" hidden tabindex=1 contenteditable accesskey=x>s</span>", "<span>s</span>", 0),
    ("<h1>a<h2>b</h1>", "<h1>a</h1><h2>b</h2>", 0),
    ("＜script＞alert(1)＜/script＞", "＜script＞alert(1)＜/script＞", 0),
    ("<img src=`x`onerror=alert(1)>", "<img>", 0),
    ("<a href=\"https://user:pass@evil.example/\">x</a>", "<a href=\"https://user:pass@evil.example/\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>", 0),
    ("<div style=\"opacity:0.01;width:3000px\">x</div>", "<div style=\"opacity:0.01;width:3000px\">x</div>", 0),
];

#[test]
fn html_keeps_its_text_and_layout_and_loses_what_acts() {
    for &(given, expected, blocked) in CASES {
        let cleaned = clean_html(given, &options());
        assert_eq!((cleaned.html.as_str(), cleaned.blocked_remote), (expected, blocked), "{given}");
        assert!(!cleaned.truncated, "{given}");
    }
}

#[test]
fn all_hostile_html_in_one_message_is_as_harmless() {
    let all: String = CASES.iter().rev().filter(|(given, ..)| !given.contains("plaintext")).map(|(given, ..)| *given).collect();
    assert_inert(&clean_html(&all, &options()).html);
    for &(given, ..) in CASES {
        for wrapped in [
            format!("<table><tr>{given}</table>"),
            format!("<svg>{given}"),
            format!("<p>{given}{given}"),
            format!("<math><mi>{given}</math>"),
        ] {
            let once = clean_html(&wrapped, &options()).html;
            assert_inert(&once);
            assert_eq!(clean_html(&once, &options()).html, once, "{wrapped}");
        }
    }
}

/// Reads HTML as a browser does and holds every element and attribute against what may be there.
fn assert_inert(html: &str) {
    const ATTRIBUTES: &[&str] = &[
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "color",
        "colspan",
        "dir",
        "face",
        "height",
        "href",
        "lang",
        "nowrap",
        "rel",
        "rowspan",
        "size",
        "src",
        "start",
        "style",
        "target",
        "title",
        "type",
        "valign",
        "value",
        "width",
    ];
    let document = scraper::Html::parse_fragment(html);
    for element in document.root_element().descendants().skip(1).filter_map(|node| node.value().as_element()) {
        assert!(super::shape::elements().any(|known| known == element.name()), "<{}> in {html}", element.name());
        assert_eq!(&*element.name.ns, "http://www.w3.org/1999/xhtml", "{html}");
        for (name, value) in element.attrs() {
            assert!(ATTRIBUTES.contains(&name), "{name} in {html}");
            let allowed: &[&str] = match name {
                "href" => &["http://", "https://", "mailto:"],
                "src" => &["/parts/3", "data:image/png;base64,"],
                _ => &[""],
            };
            assert!(allowed.iter().any(|start| value.to_ascii_lowercase().starts_with(start)), "{name}={value} in {html}");
            if name == "style" {
                let lower = value.to_ascii_lowercase();
                assert!(
                    ["url", "expression", "position", "behavior", "binding", "@", "\\"].iter().all(|bad| !lower.contains(bad)),
                    "{value}"
                );
            }
        }
    }
}

#[test]
fn images_from_elsewhere_are_shown_only_as_asked() {
    let html = r#"<img src="https://a.example/x?y=1&amp;z"><img src="http://a.example/y">"#;
    for (remote, expected, blocked) in [
        (RemoteImages::Block, "<img><img>", 2),
        (RemoteImages::Https, r#"<img src="https://a.example/x?y=1&amp;z"><img>"#, 1),
        (
            RemoteImages::Through("/proxy?url=".to_owned()),
            r#"<img src="/proxy?url=https%3A%2F%2Fa%2Eexample%2Fx%3Fy%3D1%26z"><img src="/proxy?url=http%3A%2F%2Fa%2Eexample%2Fy">"#,
            0,
        ),
    ] {
        let options = CleanOptions { remote, ..CleanOptions::default() };
        let cleaned = clean_html(html, &options);
        assert_eq!((cleaned.html.as_str(), cleaned.blocked_remote), (expected, blocked));
        assert_eq!(clean_html(&cleaned.html, &options).html, cleaned.html);
    }
}

#[test]
fn a_large_or_deep_document_is_cut_in_bounded_time() {
    let started = std::time::Instant::now();
    for unit in
        ["<div>", "<b>", "<p><font size=1>", "<table><tr><td>", "<table>x<b>", "<ul><li>", "<a href=http://a.example/>", "<img>"]
    {
        let cleaned = clean_html(&unit.repeat(31_000), &CleanOptions::default());
        assert!(cleaned.truncated, "{unit}");
        let open = cleaned.html.find("</").unwrap_or_default();
        assert!(cleaned.html[..open].matches("<div>").count() <= super::MAX_DEPTH);
    }
    for text in ["&", "\u{a0}"] {
        assert!(clean_html(&text.repeat(2 * MAX_OCTETS / text.len()), &CleanOptions::default()).truncated, "{text}");
    }
    // Seconds where the work is quadratic, even in a fast build; generous because test builds are slow.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn plain_text_becomes_html_that_reads_the_same() {
    let link =
        |href: &str, text: &str| format!("<a href=\"{href}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{text}</a>");
    for (given, expected) in [
        ("a < b & \"c\"\r\nd", "a &lt; b &amp; &quot;c&quot;<br>d".to_owned()),
        (
            "see https://example.org/a?b=1&c=2.",
            format!("see {}.", link("https://example.org/a?b=1&amp;c=2", "https://example.org/a?b=1&amp;c=2")),
        ),
        ("(http://example.org/x_(y))", format!("({})", link("http://example.org/x_(y)", "http://example.org/x_(y)"))),
        (
            "链接：https://example.org/验证，谢谢",
            format!("链接：{}，谢谢", link("https://example.org/验证", "https://example.org/验证")),
        ),
        (
            "javascript://example.org ftp://example.org http:// xhttps://a.example",
            "javascript://example.org ftp://example.org http:// xhttps://a.example".to_owned(),
        ),
        (
            "<https://example.org/\"onclick=x>",
            format!("&lt;{}&quot;onclick=x&gt;", link("https://example.org/", "https://example.org/")),
        ),
        ("  two  spaces\u{0}\u{1b}[0m", "&nbsp;&nbsp;two &nbsp;spaces[0m".to_owned()),
    ] {
        let html = text_to_html(given);
        assert_eq!(html, expected);
        let cleaned = clean_html(&html, &CleanOptions::default()).html;
        assert_eq!(cleaned, html.replace("&quot;", "\""), "{given}");
    }
}

/// Pieces that make parsers stumble, to be thrown together at random.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(CASES).prop_map(|(given, ..)| given.to_owned()),
        prop::sample::select(
            &[
                "<table>",
                "</table>",
                "<tr>",
                "<td>",
                "</td>",
                "<tbody>",
                "<caption>",
                "<p>",
                "</p>",
                "<div>",
                "</div>",
                "<b>",
                "</b>",
                "<a href=http://a.example>",
                "</a>",
                "<li>",
                "<ul>",
                "</ul>",
                "<dd>",
                "<h1>",
                "</h1>",
                "<svg>",
                "</svg>",
                "<math>",
                "<mtext>",
                "<style>",
                "</style>",
                "<script>",
                "</script>",
                "<select>",
                "<option>",
                "<template>",
                "<noscript>",
                "<title>",
                "</title>",
                "<pre>",
                "\n",
                "</pre>",
                "<br>",
                "</br>",
                "<hr>",
                "<font color=red>",
                "<img src=cid:known ",
                ">",
                "\"",
                "'",
                "<",
                "</",
                "<!--",
                "-->",
                "&",
                "&amp;",
                "&lt",
                "&#10;",
                "&#13;",
                "&nbsp;",
                "\u{a0}",
                "x",
                " ",
                "\0",
                "=",
                "style=color:red",
                "title=\"",
                "é",
                "\r",
            ][..]
        )
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cleaning_again_changes_nothing(html in soup()) {
        let once = clean_html(&html, &options()).html;
        assert_inert(&once);
        prop_assert_eq!(clean_html(&once, &options()).html, once);
    }

    #[test]
    fn text_as_html_has_no_markup_but_links_and_line_breaks(text in "(\\PC|\n|http://|https://a\\.example/|<b>|&lt;){0,30}") {
        let html = text_to_html(&text);
        let document = scraper::Html::parse_fragment(&html);
        for element in document.root_element().descendants().skip(1).filter_map(|node| node.value().as_element()) {
            prop_assert!(["a", "br"].contains(&element.name()), "{}", html);
        }
        assert_inert(&html);
    }
}
