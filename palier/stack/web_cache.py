"""nginx in front of the application: what a content delivery network does, on one machine."""

from __future__ import annotations

import http.client
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from palier.stack.environments import server_environment
from palier.stack.listening import start_listening
from palier.stack.ports import HOST, listens
from palier.stack.process import Child
from palier.stack.programs import Program, find_program, on_path, runnable_here
from palier.stack.workspace import Workspace

HOW_TO_GET = (
    "install the package nginx (Debian: `apt install nginx`, macOS: `brew install nginx`), "
    "or measure without it: --set web_cache=false"
)

STATUS_PATH = "/.nginx/status"
"""Its own counters; no path of the application begins with a dot."""

START_DEADLINE_S = 30.0
"""It takes a few milliseconds; a cold disk on a busy machine takes longer."""

CONNECTIONS = 4_096
"""Of each worker process, to clients and to the application together."""

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""Kinds of files nginx would otherwise keep in directories of the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCache:
    """A running nginx.

    Attributes:
        url: Where the load goes.
        status_url: Its counters.
        version: ``"1.22.1"``.
        origin: Where it comes from, for people.
        settings: What we set.
        process: Its master process.
    """

    url: str
    status_url: str
    version: str
    origin: str
    settings: tuple[tuple[str, str], ...]
    process: Child


def find_nginx(environ: Mapping[str, str] = os.environ) -> Program:
    """The program.

    Raises:
        StackError: It is not on this machine.
    """
    return find_program("nginx", _candidates(environ), version_option="-v", how_to_get=HOW_TO_GET)


def start_web_cache(
    workspace: Workspace, program: Program, *, app_url: str, cpus: Sequence[int] = ()
) -> WebCache:
    """Start nginx on a free loopback port.

    It keeps answers that say ``Cache-Control: public`` and a lifetime, and gives them to requests
    without ``Authorization``. Everything else goes through untouched, conditions included.

    Args:
        workspace: Owns the process and what it keeps.
        program: As found.
        app_url: Address of the application.
        cpus: Cores it may use; empty means all.

    Raises:
        StackError: It does not start; with its last log lines.
    """
    folder = workspace.make_private_directory("web_cache")
    settings = {
        "worker_processes": str(len(cpus) or os.cpu_count() or 1),
        "worker_connections": str(CONNECTIONS),
        "max_size": "256m",
        "inactive": "10m",
    }
    path = runnable_here(program, workspace, version_option="-v")
    process, port = start_listening(
        workspace,
        "web_cache",
        lambda port: [
            str(path),
            *("-p", str(folder)),
            *("-e", "stderr"),
            *(
                "-c",
                str(
                    workspace.write_private_file(
                        "nginx.conf", _configuration(folder, app_url, port, settings)
                    )
                ),
            ),
        ],
        env=server_environment(),
        why_not_ready=_why_not_ready,
        deadline_s=START_DEADLINE_S,
        # At once; SIGQUIT would wait for the clients.
        signals=("SIGTERM",),
        unprivileged=True,
        cpus=cpus,
    )
    url = f"http://{HOST}:{port}"
    return WebCache(
        url=url,
        status_url=url + STATUS_PATH,
        version=program.version,
        origin=program.origin,
        settings=tuple(sorted(settings.items())),
        process=process,
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    found = on_path("nginx", environ)
    if found is not None:
        yield "PATH", found


def _why_not_ready(process: Child, port: int) -> str | None:
    """The application answers through it."""
    if not listens(process.pids(), port):
        return f"it does not listen on port {port}"
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"GET /health/live: {error}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"GET /health/live answered {answer.status}"


def _configuration(folder: Path, app_url: str, port: int, settings: Mapping[str, str]) -> str:
    """``nginx.conf``. Source: nginx documentation, ngx_http_proxy_module.

    Two ways to the application: nginx takes conditions (``If-None-Match``, ``If-Match``) away
    from requests whose answers it may keep, and the application needs them.
    """
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted_files = 2 * CONNECTIONS
    files = wanted_files if most_files == resource.RLIM_INFINITY else min(wanted_files, most_files)
    temporary = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in _TEMPORARY)
    return f"""
daemon off;
pid {folder}/nginx.pid;
# Not what fails in a request: those lines name its path, and guests' paths hold their tokens.
error_log stderr crit;
worker_processes {settings["worker_processes"]};
worker_rlimit_nofile {files};
events {{ worker_connections {settings["worker_connections"]}; }}
http {{
    access_log off;
    server_tokens off;
    default_type application/octet-stream;
{temporary}
    # A client that is still sending must not meet a connection being closed for its age.
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_max_body_size 16m;

    upstream application {{
        server {urlsplit(app_url).netloc};
        keepalive 256;
        # The application closes idle connections after 30 s; ours are gone before.
        keepalive_timeout 20s;
        keepalive_requests 1000000000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    # Streamed, not spooled: a slow client holds back the application, as without us.
    proxy_max_temp_file_size 0;

    proxy_cache_path {folder}/kept levels=1:2 use_temp_path=off keys_zone=kept:10m
        max_size={settings["max_size"]} inactive={settings["inactive"]};
    proxy_cache_key $request_method$host$request_uri;
    # One request fetches what many wait for.
    proxy_cache_lock on;
    map $http_authorization$http_cookie $personal {{ default 1; "" 0; }}
    map $request_method $changes {{ default 1; GET 0; HEAD 0; }}
    map $upstream_http_cache_control $not_public {{ default 1; "~*\\bpublic\\b" 0; }}

    server {{
        listen {HOST}:{port};
        location = {STATUS_PATH} {{ stub_status; }}
        location / {{
            error_page 418 = @through;
            if ($personal) {{ return 418; }}
            if ($changes) {{ return 418; }}
            proxy_pass http://application;
            proxy_cache kept;
            proxy_no_cache $not_public;
            add_header X-Cache $upstream_cache_status always;
        }}
        location @through {{ proxy_pass http://application; }}
    }}
}}
"""
