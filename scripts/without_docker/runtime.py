"""Containers without a daemon: processes with the root of the image as their root, on loopback.

A container is a process with a root of its own, the user of the image, no privileges, and an address in 127.0.0.0/8, where it listens in
place of 0.0.0.0; names of containers lead to these addresses by /etc/hosts. There are no namespaces, so other processes can be seen, and
limits of memory are compared and not enforced. PostgreSQL is that of the distribution, on such an address too.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
# How long a container may take to start or stop on a busy machine, in seconds.
PATIENCE = 120
NO_NEW_PRIVILEGES = 38
# What each role but the superuser may do: the databases that it owns, and then whatever else it was given.
RIGHTS = """
SELECT concat_ws(' ', rolname, 'owns', (SELECT string_agg(datname, ' ') FROM pg_database WHERE datdba = role.oid),
    CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,
    CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,
    (SELECT 'member of ' || string_agg(roleid::regrole::text, ' ') FROM pg_auth_members WHERE member = role.oid))
FROM pg_roles AS role WHERE rolcanlogin AND oid <> 10
"""


class Failure(Exception):
    """A command cannot do what it should."""


class State:
    """The containers, the image, and where each name leads to."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / "state.json"
        self.image_root = self.folder / "image"
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.image = known.get("image")
        self.containers = known.get("containers", {})
        self.addresses = known.get("addresses", {})
        self.published = known.get("published", {})
        self.secrets = known.get("secrets", {})
        # The most memory that each container had, in bytes, when it was stopped.
        self.memory = known.get("memory", {})
        # The second and third number of the addresses: others may run this on the same machine.
        self.network = known.get("network") or [os.getpid() % 250 + 2, time.time_ns() % 250 + 2]

    def save(self):
        names = ("image", "containers", "addresses", "published", "secrets", "memory", "network")
        self.file.write_text(json.dumps({name: getattr(self, name) for name in names}))
        # curl of this machine finds published ports where the containers listen.
        lines = [f'connect-to = "{port}:{target}"' for port, target in self.published.items()]
        (self.folder / ".curlrc").write_text("\n".join([*lines, 'noproxy = "*"', ""]))

    def address(self, name):
        """The address of a container, which it keeps."""
        if name not in self.addresses:
            self.addresses[name] = "127.{}.{}.{}".format(*self.network, len(self.addresses) + 2)
        return self.addresses[name]


# --- The image.


def instructions(dockerfile):
    """The stages of a Dockerfile: name, base, and the instructions in order."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    stages = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.strip():
            continue
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, *name = rest.split(" AS ")
            stages.append({"name": (name or [None])[0], "base": base, "steps": []})
        elif stages:
            stages[-1]["steps"].append((word, rest.strip()))
    return stages


def build(state, programs):
    """Builds the image as the Dockerfile does; the programs are built already."""
    stages = {stage["name"]: stage for stage in instructions(ROOT / "Dockerfile")}
    built = state.folder / "programs"
    built.mkdir(exist_ok=True)
    run = next(rest for word, rest in stages["programs"]["steps"] if word == "RUN")
    *_, install = run.split("&&")
    # The last command of the stage, with both programs of the folder `programs`.
    install = install.replace("/programs", str(built)).replace("target/${PROFILE}", str(programs))
    defaults = dict(rest.split("=", 1) for word, rest in stages["programs"]["steps"] if word == "ARG")
    subprocess.run(["sh", "-euc", install], check=True, env={**os.environ, "PROGRAMS": defaults["PROGRAMS"].strip('"')})
    for word, rest in stages["root"]["steps"]:
        if word == "COPY":
            source, target = rest.split()
            shutil.copy2(ROOT / source, state.folder / target.lstrip("/"))
        elif word == "RUN":
            command = re.sub(r"(?<!\S)/(image-root|root-of-image)\b", rf"{state.folder}/\1", rest)
            done = subprocess.run(["sh", "-euc", command], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Failure(f"{command}: {done.stdout}{done.stderr}")
    config = {"Env": {}, "Entrypoint": [], "Cmd": [], "Volumes": []}
    for word, rest in stages[None]["steps"]:
        if word == "COPY":
            stage, source, target = re.fullmatch(r"--from=(\S+) (\S+) (\S+)", rest).groups()
            source = {"root": state.folder / "root-of-image", "programs": built}[stage]
            subprocess.run(["cp", "-a", f"{source}/.", state.image_root / target.strip("/")], check=True)
        elif word == "ENV":
            name, value = rest.split("=", 1)
            config["Env"][name] = value
        elif word in ("ENTRYPOINT", "CMD"):
            config[word.capitalize()] = json.loads(rest)
        elif word == "HEALTHCHECK":
            config["Healthcheck"] = json.loads(rest.split(" CMD ")[1])
        elif word == "USER":
            config["User"] = [int(number) for number in rest.split(":")]
        elif word == "WORKDIR":
            config["WorkingDir"] = rest
        elif word == "VOLUME":
            config["Volumes"].append(rest)
        elif word in ("EXPOSE", "STOPSIGNAL"):
            config[word] = rest
        else:
            raise Failure(f"the Dockerfile has {word}, which scripts/containers does not know")
    state.image = config


# --- Containers.


def spawn(state, container, command, **streams):
    """Starts a process in a container."""
    root, image = container["root"], state.image
    path = container["environment"].get("PATH", "").split(":")
    found = [folder for folder in path if (Path(root) / folder.lstrip("/") / command[0]).is_file()]
    if not found:
        raise Failure(f"there is no program {command[0]} in the container")
    user, group = image["User"]
    libc = ctypes.CDLL(None)

    def enter():
        os.chroot(root)
        os.chdir(container["folder"])
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)

    return subprocess.Popen(
        [f"{found[0]}/{command[0]}", *command[1:]],
        env=container["environment"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=enter,
        **streams,
    )


def create(state, name, arguments, environment, *, read_only=False, files=None, volumes=None, entrypoint=None, folder=None):
    """Makes a container of the image and starts it. `files` are contents by their paths in it, `volumes` folders of this machine."""
    image, address = state.image, state.address(name)
    root = state.folder / "roots" / name
    if root.exists():
        shutil.rmtree(root)
    root.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-al", state.image_root, root], check=True)
    named = {}
    for path, source in (volumes or {}).items():
        inside = root / path.lstrip("/")
        if "/" in source:
            shutil.rmtree(inside, ignore_errors=True)
            subprocess.run(["cp", "-a", source, inside], check=True)
        else:
            # A volume is in the container that has it, and goes back when that is removed.
            named[source] = str(inside)
            if (state.folder / "volumes" / source).exists():
                inside.rmdir()
                shutil.move(state.folder / "volumes" / source, inside)
    for path, (content, mode) in (files or {}).items():
        inside = root / path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        # It is a hard link to the file of the image.
        inside.unlink(missing_ok=True)
        inside.write_bytes(content)
        inside.chmod(mode)
        os.chown(inside, 0, image["User"][1])
    if read_only:
        for path in ("tmp", *(path.strip("/") for path in image["Volumes"] if path not in (volumes or {}))):
            os.chown(root / path, 0, 0)
            (root / path).chmod(0o555)
    shown = {**image["Env"], **environment}
    listens = {key: value.replace("0.0.0.0:", f"{address}:") for key, value in shown.items()}
    # Where commands in the container find its server.
    listens.setdefault("TRUEHOOK_SERVER", f"http://{address}:8080")
    command = [*(entrypoint or image["Entrypoint"]), *(arguments or image["Cmd"])]
    # All addresses are received on where a name is given, so the port must be a free one.
    command = [re.sub(r"^--port=\d+$", "--port=0", word).replace("0.0.0.0:", f"{address}:") for word in command]
    container = {"root": str(root), "folder": folder or image["WorkingDir"], "environment": listens, "address": address}
    container |= {"log": str(state.folder / f"{name}.log"), "volumes": named}
    state.containers[name] = container
    write_hosts(state)
    with open(container["log"], "ab") as log:
        process = spawn(state, container, command, stdout=log, stderr=log)
    container["pid"] = process.pid
    state.save()
    return process


def write_hosts(state):
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in state.addresses.items())]
    for container in state.containers.values():
        folder = Path(container["root"]) / "etc"
        folder.mkdir(exist_ok=True)
        # As a whole: a container that is starting looks names up.
        (folder / "hosts.new").write_text("\n".join([*lines, ""]))
        (folder / "hosts.new").replace(folder / "hosts")


def execute(state, name, command, **streams):
    """Runs a command in a running container, as its user. Returns its exit code."""
    container = running(state, name)
    return spawn(state, container, command, **streams).wait()


def running(state, name):
    container = state.containers.get(name)
    if container is None or not is_alive(container.get("pid")):
        log = Path(container["log"]).read_text() if container else ""
        raise Failure(f"no container {name} is running\n{log}")
    return container


def is_alive(pid):
    try:
        # A process that has ended and whose parent does not ask is a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def stop(state, name, *, remove=False):
    """Ends a container with the signal of the image."""
    container = state.containers[name]
    if is_alive(container["pid"]):
        status = Path(f"/proc/{container['pid']}/status").read_text()
        state.memory[name] = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
        # PostgreSQL would wait for its clients otherwise.
        os.kill(container["pid"], signal.SIGINT if container.get("postgres") else signal.SIGTERM)
        wait(f"{name} ends", lambda: not is_alive(container["pid"]))
    if remove:
        for volume, inside in container.get("volumes", {}).items():
            (state.folder / "volumes").mkdir(exist_ok=True)
            shutil.move(inside, state.folder / "volumes" / volume)
        del state.containers[name]
    state.save()


def wait(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"this did not come within {PATIENCE} s: {what}")
        time.sleep(0.05)


def wait_healthy(state, name):
    """Waits until the health check of the image succeeds."""
    check = state.image["Healthcheck"]

    def healthy():
        container = running(state, name)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return spawn(state, container, check, **quiet).wait() == 0

    wait(f"{name} is healthy", healthy)


def answer(address, port, path, host):
    """Status and text of what a server answers to a GET."""
    with socket.create_connection((address, port), timeout=10) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


# --- PostgreSQL.


def start_postgres(state, name, scripts, environment, urls):
    """Starts PostgreSQL as the container `name`, with a certificate, and runs these scripts of SQL once, with these variables. The roles of
    the URLs may have no rights but those on their own database.

    Returns the authority of its certificate.
    """
    superuser = environment.get("POSTGRES_USER", "postgres")
    address = state.address(name)
    bins = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not bins:
        raise Failure("PostgreSQL is missing: apt-get install postgresql")
    folder = state.folder / "roots" / name
    folder.mkdir(parents=True)
    key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    certificates = f"""
set -eu
{key} -x509 -days 1 -subj /CN=authority -keyout authority.key -out authority.crt
{key} -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout server.key -out server.csr
openssl x509 -req -days 1 -in server.csr -copy_extensions copy -CA authority.crt -CAkey authority.key -CAcreateserial -out server.crt
"""
    subprocess.run(["sh", "-c", certificates], cwd=folder, check=True, capture_output=True)
    for number, text in enumerate(scripts):
        (folder / f"{number}.sql").write_text(text)
    script = f"""
set -eu
cd {folder}
{bins[-1]} --pgdata=data --auth-local=trust --auth-host=scram-sha-256 --username={superuser} --encoding=UTF8 --no-sync >/dev/null
{bins[-1].parent}/pg_ctl --pgdata=data --log=log --wait --options="-c listen_addresses={address} -c unix_socket_directories={folder} \
  -c fsync=off -c ssl=on -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key" start >/dev/null
for script in *.sql; do
  {bins[-1].parent}/psql --quiet --host={folder} --username={superuser} --dbname=postgres --set=ON_ERROR_STOP=1 --file="$script"
done
{bins[-1].parent}/psql --no-psqlrc --tuples-only --no-align --host={folder} --username={superuser} --dbname=postgres --command="{RIGHTS}"
"""
    as_user = ["sh", "-c", script]
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--", *as_user]
    # A folder that its user can get to.
    for parent in (state.folder, folder.parent):
        parent.chmod(0o755)
    rights = subprocess.run(as_user, check=True, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True).stdout
    wanted = {f"{urlsplit(url).username} owns {urlsplit(url).path[1:]}" for url in urls}
    if set(rights.splitlines()) != wanted:
        raise Failure(f"nodes log in to {name} as roles with other rights than on their own database: {rights}in place of {wanted}")
    pid = int((folder / "data/postmaster.pid").read_text().split()[0])
    state.containers[name] = {"root": str(folder), "pid": pid, "log": str(folder / "log"), "address": address, "postgres": True}
    state.save()
    return (folder / "authority.crt").read_text()
