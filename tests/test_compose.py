"""docker-compose.yml and Dockerfile held against the code, and compose's own programs against a real OpenBao.

No Docker engine is needed: the files are read as what they are.
"""

from __future__ import annotations

import http.server
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hvac
import pytest
import yaml
from cryptography import x509

from app.settings import DEFAULT_LIMITS, Settings, SettingsError
from app.vault.client import VaultClient
from app.web.body_caps import DOCUMENT_FORM, MULTIPART_ROOM, UPLOAD, UPLOAD_SECONDS, takes_upload
from compose import bring_up, handover, healthcheck, orchestrate, prepare
from compose.certificates import Pair, is_good, new_authority, new_server
from local.stack import APP_ROLE, MIGRATE_ROLE, Stack
from tests.test_documents import Recording
from vault.client import connect
from vault.engines import Database

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: Mapping[str, Any] = COMPOSE["services"]
OURS = ("prepare", "init", "orchestrator", "migrate", "app")
RUN_THE_APPLICATION = ("app", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
CHOSEN = {
    "DOMAIN": "journal.example",
    "FILES_DOMAIN": "files.example",
    "WORKERS": "4",
    "SHARED_BUFFERS": "1GB",
    "LOG_LEVEL": "warning",
}


def filled(value: str, chosen: Mapping[str, str]) -> str:
    """Interpolate ${NAME:-default} and ${NAME:+instead} as Compose does."""
    value = re.sub(r"\$\{(\w+):\+([^}]*)\}", lambda found: found[2] if chosen.get(found[1]) else "", value)
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: chosen.get(found[1]) or found[2], value)


def environment(service: str, chosen: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment the application of a service finds: compose's, and what the handover adds."""
    given = {name: filled(value, chosen) for name, value in SERVICES[service]["environment"].items()}
    return given | {"SCRIPTORIUM_VAULT_ROLE_ID": "role", "SCRIPTORIUM_VAULT_SECRET_ID_FILE": "/run/handover/x"}


def test_postgresql_takes_the_cache_it_is_given() -> None:
    start = (ROOT / "compose" / "postgres" / "start.sh").read_text("utf-8")
    for chosen, size in (({}, "256MB"), (CHOSEN, "1GB")):
        given = {"SHARED_BUFFERS": filled(SERVICES["postgres"]["environment"]["SHARED_BUFFERS"], chosen)}
        assert given == {"SHARED_BUFFERS": size}
        assert f'-c shared_buffers="{size}"' in filled(start, given)


@pytest.mark.parametrize("service", RUN_THE_APPLICATION)
@pytest.mark.parametrize("chosen", [{}, CHOSEN])
def test_the_application_accepts_its_environment(service: str, chosen: Mapping[str, str]) -> None:
    settings = Settings.from_environment(environment(service, chosen))
    assert settings.secure
    assert settings.vault_addr.startswith("https://")
    assert settings.vault_ca is not None
    assert settings.database_tls == "verify-full"
    assert settings.public_url == f"https://{chosen.get('DOMAIN', 'localhost')}"


@pytest.mark.parametrize("service", RUN_THE_APPLICATION)
def test_every_setting_is_one_the_code_reads(service: str) -> None:
    asked = Recording({})
    Settings.from_environment(asked)
    known = asked.names | {f"SCRIPTORIUM_LIMIT_{name}" for name in DEFAULT_LIMITS}
    assert {name for name in environment(service) if name.startswith("SCRIPTORIUM_")} <= known


def test_what_has_no_fit_default_is_given() -> None:
    shared = {"PUBLIC_URL", "VAULT_ADDR", "VAULT_CA", "DATABASE_HOST", "DATABASE_TLS", "DATABASE_CA", "STATE"}
    served = shared | {"HOST", "PORT", "WORKERS", "TRUSTED_PROXIES", "VALKEY_HOST", "VALKEY_TLS", "VALKEY_CA"}
    assert {f"SCRIPTORIUM_{name}" for name in shared} <= environment("migrate").keys()
    assert {f"SCRIPTORIUM_{name}" for name in served} <= environment("app").keys()


def test_a_public_name_cannot_be_served_carelessly() -> None:
    careless = environment("app") | {"SCRIPTORIUM_PUBLIC_URL": "http://journal.example"}
    with pytest.raises(SettingsError, match="https"):
        Settings.from_environment(careless)


def test_no_environment_holds_a_secret() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|TOKEN|SECRET(?!_ID_FILE)|_KEY$", name), name
            assert not re.search(r"://[^/]*:[^/]*@", value)


def test_only_the_proxy_publishes_ports() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert not any(service.get("network_mode") == "host" for service in SERVICES.values())


def test_only_the_proxys_first_network_reaches_the_world() -> None:
    open_ones = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    assert open_ones == {"public"}
    assert [name for name, service in SERVICES.items() if "public" in service.get("networks", ())] == ["proxy"]


def test_the_application_believes_the_proxy_and_nobody_else() -> None:
    address = SERVICES["proxy"]["networks"]["web"]["ipv4_address"]
    (trusted,) = Settings.from_environment(environment("app")).trusted_proxies
    assert str(trusted) == f"{address}/32"
    assert not any(
        "web" in service.get("networks", ()) for name, service in SERVICES.items() if name not in ("app", "proxy")
    )


def test_secret_ids_are_bound_to_the_network_vault_is_reached_by() -> None:
    subnet = COMPOSE["networks"]["secrets"]["ipam"]["config"][0]["subnet"]
    command = SERVICES["init"]["command"]
    assert command[command.index("--bound-cidr") + 1] == subnet
    for server in ("vault", "openbao"):
        shared = set(SERVICES[server]["networks"]) & set(SERVICES["app"]["networks"])
        assert shared == {"secrets"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_shut_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert re.fullmatch(r"\d+:\d+", service["user"])
    assert service["user"] != "0:0" or (name == "prepare" and service["network_mode"] == "none")
    allowed = {
        "prepare": {"CHOWN", "DAC_OVERRIDE", "FOWNER"},
        "vault": {"IPC_LOCK"},
        "openbao": {"IPC_LOCK"},
        "proxy": {"NET_BIND_SERVICE"},
    }
    assert set(service.get("cap_add", ())) == allowed.get(name, set())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned_by_version(name: str) -> None:
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-[\w.]+)?$", SERVICES[name]["image"])


def test_one_vault_by_profile() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"vault": ["vault"], "openbao": ["openbao"]}
    assert SERVICES["openbao"]["image"].startswith("openbao/openbao:")
    assert SERVICES["vault"]["image"].startswith("hashicorp/vault:")
    for name in profiles:
        assert SERVICES["init"]["depends_on"][name] == {"condition": "service_healthy", "required": False}


def test_everything_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            once = SERVICES[needed]["restart"] in ("no", "on-failure:3")
            expected = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == expected, f"{name} on {needed}"
            if expected == "service_healthy" and needed != "app":
                assert "test" in SERVICES[needed]["healthcheck"]
    assert {"postgres", "valkey", "migrate", "orchestrator"} <= SERVICES["app"]["depends_on"].keys()
    assert "orchestrator" in SERVICES["migrate"]["depends_on"]


def test_the_application_runs_several_times() -> None:
    assert SERVICES["app"]["deploy"]["replicas"] >= 2
    assert "container_name" not in SERVICES["app"]
    drain = Settings.from_environment(environment("app")).drain
    assert int(SERVICES["app"]["stop_grace_period"].removesuffix("s")) > drain + 10


def test_volumes_and_secrets_are_declared_and_used() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume["source"] if isinstance(volume, dict) else volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists()
            else:
                used.add(source)
    assert used == COMPOSE["volumes"].keys()
    assert set(SERVICES["prepare"]["secrets"]) == COMPOSE["secrets"].keys()
    assert [name for name, service in SERVICES.items() if "secrets" in service] == ["prepare"]
    assert "tmpfs" in COMPOSE["volumes"]["handover"]["driver_opts"]["type"]


def test_everything_prepared_is_mounted_under_its_name() -> None:
    mounted = {volume.rpartition("/prepared/")[2] for volume in SERVICES["prepare"]["volumes"]}
    wanted = {server.folder for server in prepare.SERVERS} | set(prepare.DATA) | {"authority", "trust"}
    assert mounted == wanted
    owners = {"vault-data": "vault", "postgres-data": "postgres", "proxy-data": "proxy", "identities": "init"}
    for folder, service in owners.items():
        assert SERVICES[service]["user"].partition(":")[0] == str(prepare.DATA[folder])
    for server in prepare.SERVERS:
        assert SERVICES[server.folder]["user"].partition(":")[0] == str(server.owner)
        assert server.folder in server.hosts


@pytest.mark.parametrize("name", OURS)
def test_our_programs_exist(name: str) -> None:
    entrypoint = SERVICES[name]["entrypoint"]
    assert entrypoint[:2] == ["python", "-m"]
    module = entrypoint[2].removeprefix("compose.")
    assert (ROOT / "compose" / f"{module}.py").exists()
    if "--" in entrypoint:
        assert entrypoint[3] in (APP_ROLE, MIGRATE_ROLE)
        assert entrypoint[4:] == ["--", "scriptorium"]


def test_the_proxy_holds_the_outside_to_bounds() -> None:
    text = (ROOT / "compose" / "Caddyfile").read_text("utf-8")
    for word in ("read_header", "read_body", "max_header_size", "max_size", "idle"):
        assert re.search(rf"^\s+{word} \S+$", text, re.MULTILINE), word
    assert "header_up X-Request-ID {http.request.uuid}" in text
    assert "trusted_proxies" not in text  # so what a client says of itself is thrown away
    assert f"port {environment('app')['SCRIPTORIUM_PORT']}" in text


def test_the_proxy_lets_files_through_and_nothing_else_so_large() -> None:
    text = (ROOT / "compose" / "Caddyfile").read_text("utf-8")
    large, but = re.findall(r"^\t@(?:upload|other not) path_regexp (\S+)$", text, re.MULTILINE)
    assert large == but
    for path in (
        "/documents/1/attachments",
        "/documents/1/attachments/new",
        "/api/v1/documents/1/attachments",
        "/entry",
    ):
        assert bool(re.search(large, path)) == takes_upload(path)
    upload, form = (int(size) * 1_000_000 for size in re.findall(r"max_size (\d+)MB", text))
    assert upload >= UPLOAD + MULTIPART_ROOM
    assert upload > form >= DOCUMENT_FORM
    for word in ("read_body", "write"):
        assert float(re.findall(rf"^\s+{word} (\d+)s$", text, re.MULTILINE)[0]) > UPLOAD_SECONDS


def test_attached_files_outlive_their_container() -> None:
    state = environment("app")["SCRIPTORIUM_STATE"]
    assert f"files:{state}/attachments" in SERVICES["app"]["volumes"]
    assert "files" in prepare.DATA


@pytest.mark.parametrize(
    ("chosen", "names"),
    [({}, "localhost"), ({"DOMAIN": "a.example"}, "a.example"), (CHOSEN, "journal.example, files.example")],
)
def test_the_proxy_answers_to_the_names_the_application_has(chosen: Mapping[str, str], names: str) -> None:
    assert environment("proxy", chosen)["NAMES"] == names
    assert "\n{$NAMES:localhost} {\n" in (ROOT / "compose" / "Caddyfile").read_text("utf-8")
    settings = Settings.from_environment(environment("app", chosen))
    hosts = [url.removeprefix("https://") for url in (settings.public_url, settings.files_url) if url]
    assert ", ".join(hosts) == names


def test_the_image() -> None:
    _, build, final = DOCKERFILE.split("\nFROM ")
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    assert all(re.fullmatch(r"python:3\.12\.\d+-slim-\w+", stage) for stage in stages)
    assert "--require-hashes --no-deps --only-binary :all:" in build
    assert "apt-get" not in DOCKERFILE
    assert not re.search(r"https?://", DOCKERFILE)
    user = re.search(r"^USER (\d+):(\d+)$", final, re.MULTILINE)
    assert user is not None
    assert user[0].split()[1] == SERVICES["app"]["user"]
    assert 'ENTRYPOINT ["scriptorium"]' in final
    assert '"compose.healthcheck"' in final
    assert "PYTHONDONTWRITEBYTECODE=1" in final
    assert not re.search(r"^(ENV|ARG) .*(PASSWORD|TOKEN|SECRET)", DOCKERFILE, re.MULTILINE)


def test_the_image_takes_only_what_it_names() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert {f"!{source}" for source in copied} == {line for line in ignored if line.startswith("!")}
    assert "compose/secrets" in ignored


# --- the programs of compose/


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Folders as the volumes are when everything begins, and the operator's two secrets."""
    folders = {server.folder for server in prepare.SERVERS} | set(prepare.DATA) | {"authority", "trust"}
    for folder in folders:
        (tmp_path / "prepared" / folder).mkdir(parents=True)
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "seal_key").write_bytes(bytes(range(32)))
    (tmp_path / "brought" / "unseal_keys").touch()
    return tmp_path / "prepared"


def prepare_all(prepared: Path) -> dict[str, int]:
    """Prepare and return who was given what."""
    given: dict[str, int] = {}

    def give(path: Path, owner: int) -> None:
        given[str(path.relative_to(prepared)).replace(".new", "").replace("/.", "/")] = owner

    prepare.Preparation(prepared, prepared.parent / "brought", give).run()
    return given


def test_everything_is_prepared_for_its_owner_alone(prepared: Path) -> None:
    given = prepare_all(prepared)
    for server in prepare.SERVERS:
        folder = prepared / server.folder
        assert (folder.stat().st_mode & 0o777) == 0o700
        for file in folder.iterdir():
            assert (file.stat().st_mode & 0o777) == 0o400
            assert given[f"{server.folder}/{file.name}"] == server.owner
    assert (prepared / "vault" / "seal.key").read_bytes() == bytes(range(32))
    assert not (prepared / "bootstrap" / "unseal.keys").exists()
    password = (prepared / "bootstrap" / "valkey.password").read_text()
    assert password not in (prepared / "valkey" / "valkey.conf").read_text()
    assert (prepared / "postgres" / "manager.password").read_text() == (
        prepared / "bootstrap" / "manager.password"
    ).read_text()


def test_preparing_again_changes_nothing(prepared: Path) -> None:
    prepare_all(prepared)
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    (prepared / "bootstrap" / "manager.password").unlink()  # as when Vault has taken it over
    prepare_all(prepared)
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == {
        path: content
        for path, content in before.items()
        if path.name != "manager.password" or "bootstrap" not in str(path)
    }


@pytest.mark.parametrize("content", [b"too short", bytes(33)])
def test_a_seal_key_of_another_length_is_refused(prepared: Path, content: bytes) -> None:
    (prepared.parent / "brought" / "seal_key").write_bytes(content)
    with pytest.raises(prepare.PrepareError, match="32"):
        prepare_all(prepared)


def test_a_certificate_serves_its_names_and_is_renewed_under_another_authority() -> None:
    authority, other = new_authority(), new_authority()
    pair = new_server(authority, ("vault", "127.0.0.1"))
    assert is_good(pair.certificate, authority.certificate)
    assert not is_good(pair.certificate, other.certificate)
    held = x509.load_pem_x509_certificate(pair.certificate)
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["vault"]


@pytest.fixture
def behind_tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server on loopback that answers as an open Vault does, known by an authority of its own."""
    authority = new_authority()
    pair = new_server(authority, ("localhost", "127.0.0.1"))
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    server = _serving(pair, tmp_path)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", tmp_path / "ca.pem"
    server.shutdown()
    server.server_close()
    thread.join()


class _OpenVault(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"initialized": True, "sealed": False, "standby": False, "type": "static"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _serving(pair: Pair, folder: Path) -> http.server.HTTPServer:
    (folder / "certificate.pem").write_bytes(pair.certificate)
    (folder / "key.pem").write_bytes(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OpenVault)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


async def test_vault_is_verified_with_the_deployments_own_authority(behind_tls: tuple[str, Path]) -> None:
    address, ca = behind_tls
    assert connect(address, None, ca).sys.read_seal_status()["sealed"] is False
    client = VaultClient(address, ca)
    try:
        assert await client.health() == "ready"
    finally:
        client.close()


def test_the_healthcheck_tells_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Live(_OpenVault):
        def do_GET(self) -> None:
            assert self.path == "/health/live"
            super().do_GET()

    server = http.server.HTTPServer(("127.0.0.1", 0), Live)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("SCRIPTORIUM_PORT", str(server.server_address[1]))
    assert healthcheck.main() == 0
    server.shutdown()
    server.server_close()
    thread.join()
    assert healthcheck.main() == 1


@pytest.fixture
def orchestrator(app_stack: Stack, tmp_path: Path) -> orchestrate.Orchestrator:
    """An orchestrator with the identities of a real deployer, on a clock of its own."""
    made = orchestrate.Orchestrator(
        app_stack.deployer.address, None, app_stack.folders.identities, tmp_path, clock=lambda: 1000.0
    )
    made.open()
    return made


def opened(app_stack: Stack, place: Path) -> str:
    """Open the wrapping in a place, as the application does; returns the secret-id."""
    client = connect(app_stack.deployer.address, place.read_text())
    answer: dict[str, Any] = client.sys.unwrap()
    secret_id: str = answer["data"]["secret_id"]
    return secret_id


def test_each_replica_is_handed_its_own_secret_id(
    app_stack: Stack, orchestrator: orchestrate.Orchestrator, tmp_path: Path
) -> None:
    places = [handover.ask(tmp_path, APP_ROLE, name) for name in ("one", "two")]
    orchestrator.round()
    settings = [handover.await_delivery(tmp_path, APP_ROLE, place, 1) for place in places]
    assert {given["SCRIPTORIUM_VAULT_ROLE_ID"] for given in settings} == {app_stack.deployer.role_id(APP_ROLE)}
    assert len({opened(app_stack, place) for place in places}) == 2
    assert orchestrate.is_alive(tmp_path)


def test_what_was_taken_is_replaced_and_what_nobody_takes_is_cleared_away(
    app_stack: Stack, orchestrator: orchestrate.Orchestrator, tmp_path: Path
) -> None:
    now = 1000.0
    orchestrator.clock = lambda: now
    place = handover.ask(tmp_path, APP_ROLE, "one")
    orchestrator.round()
    first = place.read_text()
    now += orchestrate.LOOK_SECONDS
    orchestrator.round()
    assert place.read_text() == first
    opened(app_stack, place)
    now += orchestrate.LOOK_SECONDS
    orchestrator.round()
    assert place.read_text() != first
    fresh = place.read_text()
    now += orchestrate.REFILL_SECONDS + 1
    orchestrator.round()
    assert place.read_text() != fresh  # well before it expires
    now += orchestrate.ABANDONED_SECONDS
    orchestrator.round()
    assert not place.parent.exists()


def test_a_container_that_starts_again_is_not_given_what_lay_there(
    orchestrator: orchestrate.Orchestrator, tmp_path: Path
) -> None:
    place = handover.ask(tmp_path, MIGRATE_ROLE, "one")
    orchestrator.round()
    left_over = place.read_text()
    assert handover.ask(tmp_path, MIGRATE_ROLE, "one") == place
    with pytest.raises(TimeoutError, match="orchestrator"):
        handover.await_delivery(tmp_path, MIGRATE_ROLE, place, 0.05)
    orchestrator.round()
    assert place.read_text() not in ("", left_over)


def test_a_container_that_gets_nothing_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handover, "FOLDER", tmp_path)
    monkeypatch.setattr(handover, "await_delivery", _nothing)
    assert handover.main([APP_ROLE, "--", "scriptorium", "serve"]) == handover.UNAVAILABLE
    assert "nothing" in capsys.readouterr().err
    assert handover.main([APP_ROLE]) == handover.USAGE
    assert (tmp_path / APP_ROLE / socket.gethostname()).is_dir()


def _nothing(*_: object) -> Mapping[str, str]:
    raise TimeoutError("nothing was delivered")


def test_bringing_up_what_stands_leaves_it_alone(app_stack: Stack, tmp_path: Path) -> None:
    identities = app_stack.folders.identities
    place = bring_up.Place(app_stack.deployer.address, None, tmp_path, identities, tmp_path)
    place.told.write_text(bring_up.fingerprint())
    database = Database("127.0.0.1", 1)
    assert "provisioned before" in bring_up.bring_up(place, database, ())
    place.told.write_text("an older version")
    assert "Upgrading" in bring_up.bring_up(place, database, ())


def test_bringing_up_without_a_way_in_says_so(app_stack: Stack, tmp_path: Path) -> None:
    place = bring_up.Place(app_stack.deployer.address, None, tmp_path, tmp_path, tmp_path)
    with pytest.raises(bring_up.BringUpError, match="no privileged token"):
        bring_up.bring_up(place, Database("127.0.0.1", 1), ())
    away = bring_up.Place("http://127.0.0.1:9", None, tmp_path, tmp_path, tmp_path)
    with pytest.raises(bring_up.BringUpError, match="--profile"):
        bring_up.bring_up(away, Database("127.0.0.1", 1), (), patience=0)


def test_the_owners_keys_are_handed_over_once(tmp_path: Path) -> None:
    place = bring_up.Place("http://127.0.0.1:9", None, tmp_path, tmp_path, tmp_path)
    place.owner_keys.write_text(json.dumps(["first", "second", "third"]))
    said = bring_up.hand_over(place)
    assert "share 3 of 3: third" in said
    with pytest.raises(bring_up.BringUpError, match="handed over before"):
        bring_up.hand_over(place)


def test_a_dead_deployer_is_said(app_stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "deployer.token").write_text("s.nobody")
    (tmp_path / "rotator.token").write_text("s.nobody")
    dead = orchestrate.Orchestrator(app_stack.deployer.address, None, tmp_path, tmp_path)
    with pytest.raises(hvac.exceptions.Forbidden):
        dead.round()
