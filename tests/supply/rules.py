"""Rules no general linter knows, each with the code it is there to stop: what a reviewer would have to look for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Final

Check = Callable[[ast.AST], bool]
_SECRET: Final = re.compile(r"(?:^|_)(?:token|secret|password|signature|mac|pepper|cookie_value)$")
_EXPRESSION: Final = (ast.JoinedStr, ast.BinOp)


@dataclass(frozen=True)
class Rule:
    """What must not be there, why, where it may be all the same, and an example that must be found."""

    name: str
    why: str
    found: Check
    example: str
    allowed: tuple[str, ...] = ()

    def finds(self, nodes: Iterable[ast.AST]) -> Iterator[int]:
        """The lines on which it is."""
        yield from (getattr(node, "lineno", 0) for node in nodes if self.found(node))

    def looks_at(self, path: str) -> bool:
        """Whether a module is not an exception."""
        return not any(PurePosixPath(path).match(pattern) for pattern in self.allowed)


def called(node: ast.AST, *names: str) -> bool:
    """Whether a node calls something by one of these names, dotted as far as it is told."""
    if not isinstance(node, ast.Call):
        return False
    name = _written(node.func)
    return any(name == wanted or name.endswith(f".{wanted}") for wanted in names)


@cache
def _written(function: ast.expr) -> str:
    """What is called, as it is written; asked by most rules, of every call."""
    return ast.unparse(function)


def imports(node: ast.AST, *modules: str) -> bool:
    """Whether a node imports one of these modules or something from it."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return False
    return any(name == module or name.startswith(f"{module}.") for name in names for module in modules)


def keyword(node: ast.AST, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    if not isinstance(node, ast.Call):
        return None
    return next((given.value for given in node.keywords if given.arg == name), None)


def says(value: ast.expr | None, wanted: object) -> bool:
    """Whether an argument is this constant."""
    return isinstance(value, ast.Constant) and value.value is wanted


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _compares_secrets(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or not any(isinstance(sign, ast.Eq | ast.NotEq) for sign in node.ops):
        return False
    sides = [node.left, *node.comparators]
    constant = any(isinstance(side, ast.Name | ast.Attribute) and _last(side).isupper() for side in sides)
    if constant or any(isinstance(side, ast.Constant) for side in sides):
        return False  # "is it empty", "is it this word": nothing to learn from the time it takes
    return any(_SECRET.search(_last(side)) for side in sides)


def _sleeps_in_a_coroutine(node: ast.AST) -> bool:
    return isinstance(node, ast.AsyncFunctionDef) and any(
        called(inner, "time.sleep", "requests.get", "requests.post", "urlopen", "subprocess.run")
        for inner in ast.walk(node)
    )


def _statement_from_pieces(node: ast.AST) -> bool:
    """A statement put together in the very call: f-strings of constants are held by `tests/test_architecture.py`."""
    if not called(node, "execute", "exec_driver_sql", "fetch", "fetchrow", "fetchval", "executemany"):
        return False
    call = node
    assert isinstance(call, ast.Call)
    first = call.args[0] if call.args else None
    if isinstance(first, ast.JoinedStr):
        parts = [part.value for part in first.values if isinstance(part, ast.FormattedValue)]
        return not all(isinstance(part, ast.Name) and part.id.isupper() for part in parts)
    formatted = isinstance(first, ast.Call) and called(first, "format")
    return formatted or (isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add))


def _cookie_without_flags(node: ast.AST) -> bool:
    if not called(node, "set_cookie"):
        return False
    return not (says(keyword(node, "httponly"), True) and keyword(node, "samesite") and keyword(node, "secure"))


def _clock_without_zone(node: ast.AST) -> bool:
    bare = called(node, "datetime.now") and isinstance(node, ast.Call) and not node.args and not node.keywords
    return bare or called(node, "utcnow", "utcfromtimestamp")


def _follows_redirects(node: ast.AST) -> bool:
    return says(keyword(node, "allow_redirects"), True) or says(keyword(node, "follow_redirects"), True)


def _unverified(node: ast.AST) -> bool:
    named = isinstance(node, ast.Attribute) and node.attr in {"CERT_NONE", "_create_unverified_context"}
    unchecked = (
        isinstance(node, ast.Assign)
        and any(_last(target) == "check_hostname" for target in node.targets)
        and says(node.value, False)
    )
    return named or unchecked or says(keyword(node, "verify"), False)


def _pattern_from_input(node: ast.AST) -> bool:
    if not called(node, "re.compile", "re.match", "re.search", "re.sub", "re.fullmatch"):
        return False
    assert isinstance(node, ast.Call)
    return bool(node.args) and isinstance(node.args[0], ast.Name) and not node.args[0].id.isupper()


def _names_attribute(*names: str) -> Check:
    def found(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and ast.unparse(node) in names

    return found


RULES: Final = (
    Rule("sql-from-pieces", "values go into statements as parameters (CWE-89)", _statement_from_pieces,
         'db.execute(f"SELECT * FROM people WHERE email = \'{email}\'")',
         ("app/prepared.py",)),  # it asks for the plan of a statement that SQLAlchemy has written
    Rule("template-from-input", "templates come from files (CWE-1336)",
         lambda node: called(node, "render_template_string", "from_string", "Template"),
         "render_template_string(body)"),
    Rule("evaluation", "nothing is evaluated (CWE-95)",
         lambda node: isinstance(node, ast.Call) and _last(node.func) in {"eval", "exec"} and isinstance(node.func, ast.Name),
         "eval(text)"),
    Rule("shell", "programs are started by a list of words (CWE-78)",
         lambda node: says(keyword(node, "shell"), True)
         or called(node, "os.system", "os.popen", "create_subprocess_shell", "getoutput"),
         "subprocess.run(line, shell=True)"),
    Rule("unsafe-loading", "what came in is never made into objects of its choice (CWE-502)",
         lambda node: imports(node, "pickle", "marshal", "shelve", "dill") or called(node, "yaml.load", "unsafe_load"),
         "import pickle"),
    Rule("weak-randomness", "secrets come from `secrets` (CWE-338)",
         lambda node: imports(node, "random") and "SystemRandom" not in ast.unparse(node), "import random",
         ("app/vault/lease.py", "app/audit/sealing.py")),  # both spread work over time
    Rule("uuid-as-secret", "a random UUID is no secret; ids are version 7 (ASVS 11.5.1)",
         lambda node: called(node, "uuid4", "uuid1"), "uuid4()"),
    Rule("secrets-compared", "secrets are compared in constant time (CWE-208)", _compares_secrets,
         "if given.token == wanted: pass",
         ("app/vault/static_login.py", "app/tokens/passwords.py")),  # two logins of ours; two fields of one form
    Rule("weak-hash", "no MD5, no SHA-1 (CWE-327)",
         lambda node: called(node, "md5", "sha1", "hashlib.new", "SHA1", "MD5")
        and not says(keyword(node, "usedforsecurity"), False), "hashlib.sha1(body)"),
    Rule("bare-cipher", "only authenticated encryption (CWE-327)",
         lambda node: called(node, "Cipher", "AES", "PKCS1v15") or (isinstance(node, ast.Attribute) and node.attr == "ECB"),
         "Cipher(AES(key), ECB())"),
    Rule("xml-parser", "no parser of XML: nothing takes it in (CWE-611)",
         lambda node: called(node, "fromstring", "XMLParser", "parseString", "iterparse", "ElementTree.parse")
         or imports(node, "lxml", "xml.sax", "xml.dom"),
         "from lxml import etree"),
    Rule("outgoing-request", "one file speaks to another server, and that is Vault (SSRF, CWE-918)",
         lambda node: imports(node, "requests", "httpx", "aiohttp", "urllib.request", "http.client"), "import httpx",
         ("app/vault/client.py", "vault/*.py", "local/*.py", "compose/*.py")),
    Rule("redirects-followed", "a token must not follow a redirect (CWE-601)", _follows_redirects,
         "session.get(url, allow_redirects=True)"),
    Rule("unverified-tls", "certificates and names are verified (CWE-295)", _unverified,
         "session.get(url, verify=False)", ("local/serving.py",)),  # asks itself, on this machine
    Rule("blocking-in-coroutine", "nothing in a coroutine waits without letting others go on", _sleeps_in_a_coroutine,
         "async def view():\n    time.sleep(1)"),
    Rule("clock-without-zone", "moments are in UTC and say so (ASVS 16.2.2)", _clock_without_zone, "datetime.utcnow()"),
    Rule("cookie-without-flags", "cookies are HttpOnly, SameSite and Secure as the site is (CWE-1004)", _cookie_without_flags,
         'response.set_cookie("name", value)'),
    Rule("unparsed-body", "bodies are read by our strict parsers",
         lambda node: called(node, "request.get_json")
         or _names_attribute("request.form", "request.json", "request.files", "request.values")(node),
         "await request.form"),
    Rule("host-from-request", "links are built from the configured address",
         _names_attribute("request.host_url", "request.url_root", "request.base_url", "request.host"),
         # The first compares, and links to nothing; the second binds the routes, as Quart does by itself.
         "url = request.host_url", ("app/web/local_path.py", "app/web/lean.py")),
    Rule("address-from-header", "who calls is what the guard established",
         lambda node: isinstance(node, ast.Constant) and str(node.value).lower() in
         {"x-forwarded-for", "x-real-ip", "forwarded", "remote-addr"},
         'request.headers["X-Forwarded-For"]', ("app/web/request_head.py", "app/web/connection.py")),
    Rule("pattern-from-input", "no expression is built from what somebody typed (CWE-1333)", _pattern_from_input,
         "re.compile(query)"),
    Rule("trusted-text", "markup is made in one place, after cleaning (CWE-79)",
         lambda node: called(node, "Markup"), "Markup(body)",
         ("app/web/markdown.py", "app/web/file_addresses.py", "app/web/times.py", "app/web/badges.py", "app/web/plots.py")),
    Rule("guessable-file", "temporary files have names nobody guesses (CWE-377)",
         lambda node: called(node, "mktemp"), "tempfile.mktemp()"),
    Rule("open-to-all", "no file is writable by others (CWE-732)",
         lambda node: called(node, "chmod") and isinstance(node, ast.Call) and any(
             isinstance(given, ast.Constant) and isinstance(given.value, int) and given.value & 0o022
             for given in node.args),
         "os.chmod(path, 0o666)"),
)  # fmt: skip
