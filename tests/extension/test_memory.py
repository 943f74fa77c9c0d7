"""The C code under AddressSanitizer and UndefinedBehaviorSanitizer, with messages that are right and messages that are not, and under valgrind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from klaviyo_sql.extension import build

from .conftest import Extension
from .programs import PATIENCE

HERE = Path(__file__).parent
SANITIZED = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-fPIC", "-Wall", "-Wextra", "-Werror", "-fno-omit-frame-pointer")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

STATEMENTS = """
SELECT count(*), max(datetime), min(value) FROM events WHERE datetime >= '2026-09-01T00:00:00+02:00';
SELECT email, created FROM profiles ORDER BY created DESC LIMIT 5;
SELECT l.name, count(*) FROM lists l JOIN list_profiles p ON p.list_id = l.id GROUP BY l.name;
SELECT count(*) FROM metrics WHERE id IN (SELECT metric_id FROM events LIMIT 50) OR created > 'yesterday';
SELECT count(*) FROM events WHERE metric_id IN ('a', 'b', NULL, x'00ff') OR datetime NOT IN ('2026-01-01', '20260101T00');
SELECT month_start_date, count FROM monthly_metrics WHERE metric_id = (SELECT id FROM metrics LIMIT 1);
SELECT count(*) FROM "skyvia.Lists";
CREATE VIRTUAL TABLE temp.vip USING klaviyo(profiles, tier TEXT '$.loyalty.tier');
SELECT count(tier) FROM vip;
DROP TABLE temp.vip;
DELETE FROM lists WHERE id = 'x';
INSERT INTO lists (name) VALUES ('x');
SELECT refresh('events');
SELECT length(klaviyo_worker()) > 0, count(*) > 0 FROM klaviyo_requests;
"""
CALLS = """
SELECT clone_template(id, 'again'), clone_template(id, 'again') FROM templates LIMIT 3;
SELECT suppress_profiles(email) FROM profiles;
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200) SELECT suppress_profiles('p' || n || '@example.com') FROM accounts, n;
SELECT tag_id, tag_campaigns(tag_id, campaign_id) FROM campaign_tags GROUP BY tag_id;
SELECT suppress_profiles(email), sum(json_extract(iif(email > 'm', '{', '{}'), '$.a')) FROM profiles;
SELECT suppress_profiles(email) FROM profiles WHERE false;
SELECT suppress_profiles(email) FROM (SELECT 'a@example.com' AS email);
SELECT suppress_profiles('a@example.com');
SELECT suppress_profiles(x'00'), create_event(9223372036854775807, NULL, 0.5, x'');
SELECT l.name, p.status, p.job FROM lists AS l, suppress_profiles AS p WHERE p.list_id = l.id;
SELECT * FROM suppress_profiles('a@example.com, b@example.com');
SELECT * FROM suppress_profiles('nobody');
SELECT length(html) FROM render_template((SELECT id FROM templates LIMIT 1));
CREATE VIEW v AS SELECT suppress_profiles('a@example.com');
SELECT * FROM v;
BEGIN;
INSERT INTO lists (name) VALUES ('x');
SELECT suppress_profiles('a@example.com');
UPDATE lists SET name = 'y' WHERE id = 'x';
DELETE FROM lists WHERE id IN ('x', 'y');
ROLLBACK;
SELECT count(*) > 5, 1 FROM klaviyo_writes;
"""
KINDS = {"reading": ("plans", STATEMENTS, {}), "calling": ("writing", CALLS, {"KLAVIYO_SQL_WRITE": "1"})}


def order(extension: Extension, kind: str) -> tuple[str, dict[str, str]]:
    """Order the account of these statements; them, and the environment that they need."""
    account, statements, environment = KINDS[kind]
    extension.order(account, write=bool(environment), cache_seconds=0)
    return statements, environment


@pytest.fixture(scope="module")
def sanitizers(library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The flags of the sanitizers; skipped where the compiler has none."""
    empty = [*build.compiler(), *SANITIZERS, "-x", "c", "-", "-o", str(tmp_path_factory.mktemp("empty") / "empty")]
    done = subprocess.run(empty, input="int main(void) { return 0; }\n", capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the compiler has no sanitizers: {done.stderr.strip()}")
    return (*SANITIZED, *SANITIZERS)


@pytest.fixture(scope="module")
def sanitized(sanitizers: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension with the sanitizers in it."""
    return build.build(tmp_path_factory.mktemp("sanitized") / build.NAME, flags=sanitizers)


def runtime() -> str:
    """What has to be loaded before a program that was not compiled with the sanitizers."""
    done = subprocess.run([*build.compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    path = done.stdout.strip()
    if not Path(path).is_absolute():
        pytest.skip("AddressSanitizer cannot be loaded into another program here")
    return path


def shell(statements: str, library: Path, environment: dict[str, str], wrapper: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """What the stock shell says to the statements; errors do not end it."""
    path = shutil.which("sqlite3")
    if path is None:
        pytest.skip("there is no sqlite3 shell")
    command = [*wrapper, path, "-batch"]
    text = f".load '{library}'\n{statements}"
    return subprocess.run(
        command, input=text, capture_output=True, encoding="utf-8", errors="replace", timeout=PATIENCE * 3, env={**os.environ, **environment}, check=False
    )


def test_it_compiles_without_a_warning(library: Path, tmp_path: Path) -> None:
    build.build(tmp_path / build.NAME, flags=(*build.FLAGS, "-Werror", "-Wpedantic", "-Wshadow"))


def test_messages_that_are_nearly_right(sanitizers: tuple[str, ...], tmp_path: Path) -> None:
    source = build.FOLDER / "source"
    program = tmp_path / "fuzz"
    flags = [*sanitizers, f"-I{source}", "-o", str(program), str(HERE / "fuzz.c"), str(source / "message.c"), str(source / "instant.c")]
    done = subprocess.run([*build.compiler(), *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for seed in range(4):
        ran = subprocess.run([str(program), str(seed), "5000"], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"seed {seed}: {ran.stderr[-3000:]}"


@pytest.mark.parametrize("kind", KINDS)
def test_statements_under_the_sanitizers(sanitized: Path, extension: Extension, kind: str) -> None:
    statements, environment = order(extension, kind)
    ended = shell(statements, sanitized, {**environment, "LD_PRELOAD": runtime()})
    assert "Sanitizer" not in ended.stderr, ended.stderr[-4000:]
    assert "runtime error" not in ended.stderr, ended.stderr[-4000:]
    assert ended.stdout.splitlines()[-1] == "1|1", (ended.stdout[-2000:], ended.stderr[-2000:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_answers_that_are_spoiled(sanitized: Path, extension: Extension, tmp_path: Path, seed: int, kind: str) -> None:
    statements, environment = order(extension, kind)
    text = extension.worker.read_text(encoding="utf-8").replace("serving.py", f"lying.py {seed}")
    python = tmp_path / "python"
    python.write_text(text, encoding="utf-8")
    python.chmod(0o755)
    again = "".join(f"{statements}\n.open :memory:\n.load '{sanitized}'\n" for _ in range(15))
    ended = shell(f"{again}\n.print alive\n", sanitized, {**environment, "LD_PRELOAD": runtime(), "KLAVIYO_SQL_PYTHON": str(python)})
    assert "Sanitizer" not in ended.stderr, ended.stderr[-4000:]
    assert "runtime error" not in ended.stderr, ended.stderr[-4000:]
    assert ended.returncode >= 0, f"it died of signal {-ended.returncode}"
    assert "alive" in ended.stdout, ended.stderr[-2000:]


@pytest.mark.parametrize("kind", KINDS)
def test_statements_under_valgrind(library: Path, extension: Extension, tmp_path: Path, kind: str) -> None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("there is no valgrind")
    statements, environment = order(extension, kind)
    log = tmp_path / "valgrind.log"
    wrapper = (valgrind, "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=99", f"--log-file={log}")
    ended = shell(statements, library, environment, wrapper)
    found = log.read_text(encoding="utf-8")
    assert "klaviyo" not in found, found[:4000]
    assert ended.stdout.splitlines()[-1] == "1|1", (ended.stdout[-2000:], ended.stderr[-2000:], found[:2000])
