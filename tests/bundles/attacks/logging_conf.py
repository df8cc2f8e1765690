"""`logging.conf`, whose classes and arguments Python's own loader evaluates."""

from tests.bundles.attacks.case import Attack, made

__all__ = ["LOGGING_CONF"]

TRUST = "needs trust"
FILE = "configs/logging.conf"
SOUND = """\
[loggers]
keys=root

[handlers]
keys=console

[formatters]
keys=line

[logger_root]
level=INFO
handlers=console

[handler_console]
class=StreamHandler
level=INFO
formatter=line
args=(sys.stdout,)

[formatter_line]
format=%(asctime)s %(message)s
"""


def _instead(name: str, old: str, new: str, file: str = FILE) -> Attack:
    if old not in SOUND:
        raise ValueError(f"{old} is not in the sound file")
    return made(name, TRUST, {file: SOUND.replace(old, new)}, file)


LOGGING_CONF: list[Attack] = [
    _instead("code in the arguments of a handler", "(sys.stdout,)", "(open('canary', 'w'),)"),
    _instead("import in the arguments", "(sys.stdout,)", "(__import__('os').mkdir('canary'),)"),
    _instead("other attribute of sys", "(sys.stdout,)", "(sys.modules['os'].mkdir('canary'),)"),
    _instead(
        "code in the keywords",
        "args=(sys.stdout,)",
        "args=()\nkwargs={'stream': open('canary', 'w')}",
    ),
    _instead("handler that empties a file", "class=StreamHandler", "class=FileHandler"),
    _instead(
        "handler that empties any file",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "class=FileHandler\nlevel=INFO\nformatter=line\nargs=('canary', 'w')",
    ),
    _instead(
        "handler that opens a connection",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "class=handlers.SocketHandler\nargs=('localhost', 9)",
    ),
    _instead(
        "handler that sends mail",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "class=handlers.SMTPHandler\nargs=('localhost', 'a@b', ['c@d'], 'x')",
    ),
    _instead(
        "handler that posts",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "class=handlers.HTTPHandler\nargs=('localhost:9', '/', 'POST')",
    ),
    _instead(
        "handler that rotates files",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "class=handlers.RotatingFileHandler\nargs=('canary',)",
    ),
    _instead("class by its dotted name", "class=StreamHandler", "class=scripts.net.Handler"),
    _instead("class that is an expression", "class=StreamHandler", "class=FileHandler if 1 else 2"),
    _instead("class that is a call", "class=StreamHandler", "class=os.mkdir('canary')"),
    _instead("class that is another function", "class=StreamHandler", "class=basicConfig"),
    _instead("class that is a module", "class=StreamHandler", "class=os.mkdir"),
    _instead("factory", "class=StreamHandler", "()=os.mkdir\nclass=StreamHandler"),
    _instead(
        "class by interpolation",
        "class=StreamHandler",
        "a=FileHand\nclass=%(a)sler",
    ),
    _instead(
        "arguments by interpolation of another section",
        "args=(sys.stdout,)",
        "args=(%(x)s,)\n\n[DEFAULT]\nx=open('canary', 'w')",
    ),
    _instead(
        "handler of the section DEFAULT",
        "class=StreamHandler\nlevel=INFO\nformatter=line\nargs=(sys.stdout,)",
        "level=INFO\nformatter=line\n\n[DEFAULT]\nclass=FileHandler\nargs=('canary', 'w')",
    ),
    _instead(
        "class of a formatter", "format=%(asctime)s %(message)s", "class=scripts.net.Formatter"
    ),
    _instead(
        "class of a formatter that is an expression",
        "format=%(asctime)s %(message)s",
        "class=__import__('os').mkdir('canary')",
    ),
    _instead(
        "style of a formatter that reads attributes",
        "format=%(asctime)s %(message)s",
        "style={\nformat={msg.__class__.__init__.__globals__}",
    ),
    _instead(
        "handler that a logger does not use",
        "keys=console",
        "keys=console,other\n\n[handler_other]\nclass=FileHandler\nargs=('canary', 'w')",
    ),
    _instead(
        "arguments over two lines", "args=(sys.stdout,)", "args=(sys.stdout,\n open('canary', 'w'))"
    ),
    _instead("name of sys in another form", "(sys.stdout,)", "(sys.\uff53tdin,)"),
    _instead("number bomb in the arguments", "(sys.stdout,)", "(9**9**9,)"),
    _instead("level that is code", "level=INFO\nhandlers", "level=__import__('os')\nhandlers"),
    _instead("keys given twice", "[handler_console]", "[handler_console]\nclass=FileHandler"),
    _instead(
        "section given twice",
        "[formatter_line]",
        "[handler_console]\nclass=FileHandler\nargs=('canary', 'w')\n\n[formatter_line]",
    ),
    _instead(
        "another file of the kind", "class=StreamHandler", "class=FileHandler", "configs/log.conf"
    ),
    _instead(
        "of the kind, with ini", "class=StreamHandler", "class=FileHandler", "configs/logging.ini"
    ),
    made("no logging.conf at all", TRUST, {FILE: b"\x00\xff\x00"}, FILE),
    made(
        "logging.conf as YAML", TRUST, {FILE: "version: 1\nhandlers: {h: {(): os.mkdir}}\n"}, FILE
    ),
    made("logging.conf as JSON, which newer loaders take", TRUST, {FILE: '{"version": 1}'}, FILE),
]
