"""The php login: an operator's custom_login.php, run by the real php command."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from pathlib import Path

import httpx2
import pytest

from authgw.contract import ConfigError, Credentials, Failed, Granted, Identity, NotMine, Rejected
from authgw.login.chain import Instance
from authgw.login.outcome import LoggedIn, Turned
from authgw.reasons import Reason
from authgw.testing.login import check
from authgw_plugins.php import Php, PhpConfig
from authgw_plugins.php_worker import redacted
from kit.custom_login import GRANT, answer, dictionary, opened, script
from kit.logins import Desk
from kit.servers import need
from kit.world import world

pytestmark = pytest.mark.anyio
# The product's own example, with the number of the user filled in.
VENDOR = """<?php
function custom_login($user, $password) {
    debug_log('custom_login');
    return(array(
        'username' => $user,
        'is_admin' => false,
        'id' => $userIdUniqueNum, // required
        // 'id_group' => 1, // you can set user rights with the gui's group id too
        'enable_sensors' => array(2,3)
    ));
}
?>
"""


@pytest.fixture(autouse=True)
def _php() -> None:
    need("php")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the plugin itself wrote into the log."""
    return [record.getMessage() for record in caplog.records if record.name == "authgw.login.php"]


async def test_the_promises_of_a_login(tmp_path: Path) -> None:
    """An ordinary script keeps every promise of the contract."""
    path = script(tmp_path, f"if ($user !== 'alice' || $password !== 'right-horse') return NULL; {GRANT}")
    good = Credentials("alice", "right-horse")
    await check(lambda: Php(PhpConfig(script=path)), good, Credentials("alice", "wrong"))


async def test_the_products_example(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The product's example gives its dictionary, and what it tells debug_log is in the gateway's log."""
    with caplog.at_level(logging.INFO, "authgw.login.php"):
        found = await answer(tmp_path, VENDOR.replace("$userIdUniqueNum", "101"))
    assert isinstance(found, Granted)
    assert found.identity == Identity("alice", 101)
    assert dictionary(found) == {"username": "alice", "is_admin": False, "id": 101, "enable_sensors": [2, 3]}
    assert "custom_login.php: custom_login" in said(caplog)


async def test_the_products_example_as_it_stands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its variable that nobody has set is told in the log, and its id becomes none."""
    with caplog.at_level(logging.INFO, "authgw.login.php"):
        found = await answer(tmp_path, VENDOR)
    assert isinstance(found, Granted)
    assert found.identity.id == 0
    assert "Undefined variable $userIdUniqueNum" in caplog.text


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("return NULL;", Rejected("rejected")),
        ("return false;", Rejected("rejected")),
        ("return;", Rejected("rejected")),
        ("", Rejected("rejected")),
        ("return array('error' => 'unknown here');", Rejected("unknown here")),
        ("return array('error' => \"not $password\", 'id' => 1);", Rejected("not ***")),
        ("return true;", "returned boolean, not an array"),
        ("return 101;", "returned integer, not an array"),
        ("return 'alice';", "returned string, not an array"),
        ("return new ArrayObject(array('id' => 1));", "returned object, not an array"),
        ("return array(1, 2);", "returned a list"),
        ("return array(5 => 'id', 'id' => 1);", "returned a list"),
        ("return array('id' => 1, 'name' => new stdClass);", "holds an object"),
        ("return array('id' => 1, 'name' => \"\\xff\");", "UTF-8"),
        ("return array('id' => 1, 'name' => INF);", "cannot be used: Inf"),
        ("$a = array('id' => 1); $a['name'] = &$a; return $a;", "too many"),
        ("throw new RuntimeException($password);", "threw RuntimeException (line 3)"),
        ("return no_such_function();", "threw Error (line 3)"),
        ("return require 'no_such_file.php';", "threw Error|fatal error"),
        ("exit(0);", "called exit or die"),
        ("echo 'x'; die('no');", "called exit or die"),
        ("trigger_error('x', E_USER_ERROR);", "fatal error (line 3)"),
        ("posix_kill(getmypid(), SIGKILL);", "ended without an answer"),
        ("fclose(STDOUT); return array('id' => 1);", "without an answer"),
    ],
)
async def test_what_it_may_answer(tmp_path: Path, body: str, outcome: Rejected | str) -> None:
    """Nothing, false and an error are rejections; whatever else is no dictionary is a failure that says what it is."""
    found = await answer(tmp_path, body)
    if isinstance(outcome, Rejected):
        assert found == outcome
    else:
        assert isinstance(found, Failed)
        assert any(each in found.reason for each in outcome.split("|")), found.reason
        assert "secret" not in found.reason


async def test_lists_and_maps(tmp_path: Path) -> None:
    """A list of which PHP kept the numbers is a list; names stay names; values keep their types."""
    body = """$sensors = array_filter(array(1, 2, 3), function ($n) { return $n > 1; });
    return array('id' => '7', 'enable_sensors' => $sensors, 'ip' => array(), 'can_cdr' => '1', 'can_pcap' => '',
        'no_rtp' => NULL, 'note' => 1.0, 'custom_headers_cdr' => array(array(1, 'X: y')), 'number' => array('a' => 1));
    """
    assert dictionary(await answer(tmp_path, body)) == {
        "id": "7",
        "enable_sensors": [2, 3],
        "ip": [],
        "can_cdr": "1",
        "can_pcap": "",
        "no_rtp": None,
        "note": 1.0,
        "custom_headers_cdr": [[1, "X: y"]],
        "number": {"a": 1},
    }


@pytest.mark.parametrize(
    "noise",
    [
        "echo 'Welcome'; print(\"\\n{}\\n\");",
        "echo $undefined; trigger_error('careful', E_USER_WARNING);",
        "fwrite(STDOUT, 'direct'); fwrite(STDERR, 'direct');",
        "system('echo from a child; echo and an error >&2');",
        "while (ob_get_level()) ob_end_clean(); echo 'unbuffered';",
        "ob_start(); echo 'and never ended';",
        "ini_set('display_errors', '1'); echo $undefined;",
        "register_shutdown_function(function () { echo 'late'; });",
        "echo str_repeat('x', 5000000);",
        "for ($n = 0; $n < 5000; $n++) debug_log(str_repeat('y', 100));",
        "if (pcntl_fork() === 0) { exit(0); } pcntl_wait($status);",
    ],
)
async def test_stray_output_is_harmless(tmp_path: Path, noise: str) -> None:
    """Whatever the script writes wherever, and whatever its children do, its answer is what it returned."""
    assert dictionary(await answer(tmp_path, f"{noise} {GRANT}"))["id"] == 101


async def test_a_forged_frame(tmp_path: Path) -> None:
    """What looks like an answer is none: the word that frames one is a new one for each question, and not told."""
    forged = json.dumps({"state": "answer", "type": "array", "value": {"id": 1, "is_admin": True}})
    words = "foreach (array('', '0', str_repeat('0', 32), bin2hex(random_bytes(16))) as $w) { $f = \"\\n$w \""
    body = (
        f'{words} . \'{forged}\' . " $w\\n"; fwrite(STDOUT, $f); echo $f; fwrite(STDERR, "\\n$w\\n"); }} return NULL;'
    )
    assert await answer(tmp_path, body) == Rejected("rejected")


@pytest.mark.parametrize(
    "password",
    [
        "žluťoučký kůň 名前 🔑",
        'it\'s "quoted" \\ $user {$x} `id` %s',
        "two\nlines\r\n",
        "nul\0byte",
        " edges ",
        "x" * 4096,
    ],
)
async def test_passwords_arrive_as_they_are(tmp_path: Path, password: str) -> None:
    """Name and password reach the script byte for byte."""
    encoded = base64.b64encode(password.encode()).decode()
    right = f"$password === base64_decode('{encoded}') && $user === 'jiří'"
    body = f"return {right} ? array('id' => 5, 'name' => $user) : NULL;"
    found = await answer(tmp_path, body, Credentials("jiří", password))
    assert isinstance(found, Granted)
    assert found.identity == Identity("jiří", 5, "jiří")


@pytest.mark.parametrize("password", ["hunter2-hunter2", "quo\"te'and/slash\\", "žluťoučký", "two\nlines-of-it"])
async def test_the_log_never_shows_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, password: str
) -> None:
    """However a script tells the password, printed, quoted, in an error or past the bound, the log leaves it out."""
    body = """debug_log('got', $password, array($password)); echo $password; echo json_encode(array($password));
    var_export($password); trigger_error("bad $password"); for ($n = 0; $n < 900; $n++) debug_log($password);
    throw new Exception("with $password");"""
    with caplog.at_level(logging.DEBUG):
        found = await answer(tmp_path, body, Credentials("alice", password))
    assert isinstance(found, Failed)
    assert "got ***" in caplog.text
    for piece in {password, json.dumps(password)[1:-1], password.split("\n")[-1], password[:8]}:
        assert piece not in caplog.text + repr(found)


async def test_why_a_login_failed_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a failure the log has the words of PHP without being asked for more than warnings."""
    with caplog.at_level(logging.WARNING, "authgw.login.php"):
        await answer(tmp_path, "debug_log('fine'); return NULL;")
        assert said(caplog) == []
        await answer(tmp_path, "debug_log('about to'); return ldap_connekt();")
    assert said(caplog)[0] == "custom_login.php: about to"
    assert "PHP Error: Call to undefined function ldap_connekt()" in said(caplog)[1]


@pytest.mark.parametrize("password", ["hunter2-hunter2", 'quo"te/and\\slash', "žluťoučký"])
def test_a_password_that_is_cut(password: str) -> None:
    """Wherever what was told breaks off, no beginning of the password stands at its end."""
    told = b"." * 40 + password.encode()
    for end in range(40, len(told) + 1):
        assert set(redacted(told[:end], True, [password])) <= {".", "*"}


async def test_the_log_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One login writes a limited number of lines, each of limited length and printable."""
    body = "debug_log(str_repeat('z', 5000)); debug_log(\"a\\x1b[31m\\rb\"); "
    body += "for ($n = 0; $n < 500; $n++) debug_log('n', $n);"
    with caplog.at_level(logging.INFO, "authgw.login.php"):
        await answer(tmp_path, body)
    lines = said(caplog)
    assert len(lines) == 51
    assert max(map(len, lines)) < 1100
    assert all(each.isprintable() for each in lines)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("<?php\nfunction custom_login($user, $password) {\n  return array(;\n}\n", "line 3", "syntax error"),
        ("<?php\n$x = 1;\n", "", "defines no function custom_login"),
        ("<?php\nfunction custom_login($a, $b, $c) {}\n", "", "must take exactly"),
        ("<?php\n$x = 1;\nexit;\n", "", "calls exit while it is loaded"),
        ("<?php\n\nnone();\n", "line 3", "throws Error while it is loaded: PHP Error: Call to undefined function none"),
        ("<?php\nsleep(600);\n", "", "gave no answer within 2 s"),
    ],
)
async def test_mistakes_are_located(tmp_path: Path, text: str, where: str, said: str) -> None:
    """A script that cannot be used opens nothing; the problem names file and line."""
    with pytest.raises(ConfigError) as caught:
        await Php(PhpConfig(script=script(tmp_path, text), seconds=2)).open()
    (problem,) = caught.value.problems
    assert problem.source == str(tmp_path / "custom_login.php")
    assert problem.where == where
    assert said in problem.message


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
async def test_a_file_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """A script that somebody else may change is not run."""
    path = script(tmp_path, GRANT)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod go-w"):
        await Php(PhpConfig(script=path)).open()


def test_a_folder_that_everybody_may_write(tmp_path: Path) -> None:
    """A script that anybody could put another one in the place of is not run."""
    path = script(tmp_path, GRANT)
    tmp_path.chmod(0o707)
    with pytest.raises(ConfigError, match="chmod o-w"):
        asyncio.run(Php(PhpConfig(script=path)).open())


async def test_what_is_not_there(tmp_path: Path) -> None:
    """A script, and a php command, that are not there are told by their names."""
    with pytest.raises(ConfigError, match=r"none\.php: cannot be read"):
        await Php(PhpConfig(script=tmp_path / "none.php")).open()
    with pytest.raises(ConfigError, match="no-such-php: is not there"):
        await Php(PhpConfig(script=script(tmp_path, GRANT), php="no-such-php")).open()


async def test_nobody_is_known_without_a_password(tmp_path: Path) -> None:
    """Whether a user is still who he was cannot be told without his password."""
    async with opened(tmp_path, GRANT) as plugin:
        assert await plugin.refresh(Identity("alice", 101)) == NotMine()


@pytest.mark.parametrize("id", ["", "'id' => 0,", "'id' => NULL,", "'id' => 'x',", "'id' => -1,", "'id' => true,"])
async def test_no_id_is_no_login(tmp_path: Path, caplog: pytest.LogCaptureFixture, id: str) -> None:
    """A dictionary without a number of the user's own opens nothing, and the log says which key is wrong."""
    async with opened(tmp_path, f"return array({id} 'can_cdr' => 1);") as plugin:
        desk = Desk(NotMine(), more=(Instance("old", plugin),))
        found = await desk.login()
    assert isinstance(found, Turned)
    assert found.reason is Reason.RIGHTS_INVALID
    assert "login old: the rights of alice cannot be used" in caplog.text
    assert "id" in caplog.text.split("cannot be used")[1]


async def test_logins_through_the_front(tmp_path: Path) -> None:
    """Right, wrong and broken come out as a login, bad credentials and a failed login."""
    body = f"if ($password === 'boom') exit; if ($password !== 'right') return NULL; {GRANT}"
    async with opened(tmp_path, body) as plugin:
        desk = Desk(NotMine(), more=(Instance("old", plugin),))
        found = [await desk.login(password=each) for each in ("right", "wrong", "boom")]
    assert isinstance(found[0], LoggedIn)
    assert (found[0].claims.login, found[0].claims.id) == ("old", 101)
    assert [each.reason for each in found[1:]] == [Reason.BAD_CREDENTIALS, Reason.LOGIN_FAILED]


def test_the_gateway_with_a_custom_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`authgw serve` over an operator's custom_login.php: its users log in with its rights, others do not."""
    monkeypatch.setenv("AUTHGW_LOG", "info")
    path = script(
        tmp_path, f"echo 'hello'; debug_log('asked for', $user); if ($password !== 'right') return NULL; {GRANT}"
    )
    table = {"plugin": "php", "script": path.name}
    with (
        world(tmp_path, login={"chain": ["old", "static"]}, login_old=table) as site,
        httpx2.Client(base_url=site.url, timeout=30) as http,
    ):

        def login(password: str) -> httpx2.Response:
            fields = {"module": "bypass_login", "user": "alice", "pass": password}
            return http.get("/php/model/sql.php", params=fields)

        assert login("wrong").json()["success"] is False
        said = login("right").json()
        assert said["success"] is True, said
        cookie = {"cookie": f"PHPSESSID={said['SID']}"}
        listing = {"task": "LISTING", "module": "CDR", "fdatefrom": "2000-01-01T00:00:00"}
        assert http.post("/php/model/sql.php", data=listing, headers=cookie).status_code == 200
        told = site.gateway.log.read_text()
        assert "custom_login.php: asked for alice" in told
        assert "custom_login.php: printed: hello" in told
        assert "right" not in told
