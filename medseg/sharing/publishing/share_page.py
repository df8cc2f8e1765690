"""Page of a share for people: one file of HTML, without scripts or anything from elsewhere.

All text of bundles is escaped, and the page forbids a browser to run or load anything, should that
ever fail.
"""

from html import escape

from medseg.sharing.describing.size_words import size_words
from medseg.sharing.publishing.share_index import INDEX, Entry, Index

__all__ = ["share_page"]

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Bundles for medseg</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
article { border-top: 1px solid #8888; padding: 0.5rem 0 1rem; }
h2 { font-size: 1.15rem; margin: 0.75rem 0 0.25rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: 0.15rem 1rem; margin: 0.5rem 0; }
dt { opacity: 0.7; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.4rem; } }
</style>
</head>
<body>
<h1>Bundles for medseg</h1>
"""
_TAIL = """</body>
</html>
"""


def share_page(index: Index) -> str:
    """The page, as HTML; each bundle's newest version first."""
    many = len(index.bundles)
    intro = (
        f"<p>{many} packed bundle{'' if many == 1 else 's'}. To install one, with the address of "
        "this page or its folder as <code>SHARE</code>:</p>\n"
        "<p><code>medseg bundle install NAME --from SHARE</code></p>\n"
        f'<p>For programs: <a href="{INDEX}">{INDEX}</a>. Verdicts and signatures are told as they '
        "were when this page was written; the installation checks them itself.</p>\n"
    )
    newest_first = list(index.bundles)[::-1]
    newest_first.sort(key=lambda entry: entry.name)
    return _HEAD + intro + "".join(map(_article, newest_first)) + _TAIL


def _article(entry: Entry) -> str:
    file = escape(entry.file)
    rows = {
        "Task": escape(entry.task),
        "Images": escape(entry.images),
        "Labels": escape(", ".join(entry.labels)),
        "Licence": escape(entry.licence),
        "Data's licence": escape(entry.data_licence),
        "Verdict": escape(entry.verdict),
        "Signature": escape(entry.signature),
        "File": f'<a href="{file}">{file}</a>, {size_words(entry.size)}',
        "SHA-256": f"<code>{escape(entry.sha256)}</code>",
        "Install": f"<code>medseg bundle install {escape(entry.name)}@{escape(entry.version)} "
        "--from SHARE</code>",
    }
    listed = "".join(
        f"<dt>{key}</dt><dd>{value or 'not stated'}</dd>\n" for key, value in rows.items()
    )
    title = f"{escape(entry.name)} {escape(entry.version)}"
    return f"<article>\n<h2>{title}</h2>\n<dl>\n{listed}</dl>\n</article>\n"
