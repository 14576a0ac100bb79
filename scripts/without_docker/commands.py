#!/usr/bin/env python3
"""`docker` or `kubectl`, which the first argument names, as far as docs/containers.md uses them, with the containers of runtime.py.

scripts/containers puts both on the path. CONTAINERS_STATE names the folder that keeps what there is between two calls,
CONTAINERS_PROGRAMS that of the built programs. Prometheus is not started; what it would scrape is.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from runtime import ROOT, Failure, State, answer, build, create, execute, is_alive, running, start_postgres, stop, wait, wait_healthy

# --- docker.


def docker(state, arguments):
    match arguments:
        case ["build", "--tag", _, "."]:
            build(state, os.environ["CONTAINERS_PROGRAMS"])
            state.save()
        case ["run", *rest]:
            return docker_run(state, rest)
        case ["exec", name, *command]:
            return execute(state, name, command)
        case ["rm", "--force", name]:
            stop(state, name, remove=True)
        case ["compose", "up", "--build", "--detach", "--wait"]:
            Compose(state).up()
        case ["compose", "exec", name, *command]:
            return execute(state, name, command)
        case ["compose", "logs", name]:
            settle(state)
            print(Path(state.containers[name]["log"]).read_text())
        case ["compose", "stop", name]:
            stop(state, name)
        case ["compose", "down", "--volumes"]:
            settle(state)
            for name in reversed(list(state.containers)):
                stop(state, name, remove=True)
        case _:
            raise Failure(f"docker {' '.join(arguments)}: scripts/containers does not know this command")
    return 0


def docker_run(state, words):
    options = {"env": [], "volume": [], "publish": []}
    while words[0].startswith("--"):
        option = words.pop(0)[2:]
        if option in ("rm", "detach", "read-only"):
            options[option] = True
        elif isinstance(options.setdefault(option, []), list):
            options[option].append(words.pop(0))
    unknown = set(options) - {"env", "volume", "publish", "rm", "detach", "read-only", "name", "entrypoint", "restart", "stop-timeout", "workdir"}
    if unknown or words.pop(0) != "truehook":
        raise Failure(f"docker run: scripts/containers does not know {unknown or 'this image'}")
    (name,) = options.get("name", ["unnamed"])
    volumes = {}
    for volume in options["volume"]:
        source, path = volume.removesuffix(":ro").split(":")
        volumes[path] = source
    environment = dict(variable.split("=", 1) for variable in options["env"])
    for port in options["publish"]:
        host, outer, inner = port.split(":")
        for alias in {host, "localhost"}:
            state.published[f"{alias}:{outer}"] = f"{state.address(name)}:{inner}"
    read_only = options.get("read-only", False)
    (folder,) = options.get("workdir", [None])
    started = {"read_only": read_only, "volumes": volumes, "entrypoint": options.get("entrypoint"), "folder": folder}
    process = create(state, name, words, environment, **started)
    if options.get("detach"):
        # A command that follows at once meets a server, as it does with a daemon that takes a moment.
        wait_healthy(state, name)
        return 0
    code = process.wait()
    print(Path(state.containers[name]["log"]).read_text(), end="")
    Path(state.containers[name]["log"]).unlink()
    stop(state, name, remove=True)
    return code


def settle(state):
    """Waits until no delivery is pending: a person takes longer for the next command than a delivery does."""
    nodes = [name for name, container in state.containers.items() if name.startswith("node-") and is_alive(container["pid"])]

    def settled(name):
        address = state.address(name)
        return "\ntruehook_deliveries_pending 0\n" in answer(address, 8080, "/metrics", "localhost")[1]

    for name in nodes:
        wait(f"{name} has delivered everything", lambda name=name: settled(name))


def scrape(state):
    """Asks every target of Prometheus for its metrics, by the name that Prometheus knows."""
    settings = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    for job in settings["scrape_configs"]:
        for target in [target for group in job["static_configs"] for target in group["targets"]]:
            name, port = target.split(":")
            status, text = answer(state.addresses[name], int(port), "/metrics", target)
            if status != 200 or "truehook_deliveries_pending" not in text:
                raise Failure(f"{target} answers a scrape with {status}: {text}")


class Compose:
    """The file compose.yaml."""

    def __init__(self, state):
        self.state = state
        self.services = compose_services(ROOT / "compose.yaml", Path(".env"))

    def up(self):
        for name in self.services:
            self.state.address(name)
        for name in self.in_order():
            self.start(name, self.services[name])
        scrape(self.state)

    def in_order(self):
        """The names of the services, each behind those that it depends on."""
        done, left = [], dict(self.services)
        while left:
            ready = [name for name, service in left.items() if set(service.get("depends_on", {})) <= set(done)]
            if not ready:
                raise Failure(f"compose.yaml: {', '.join(left)} depend on each other")
            done += ready
            for name in ready:
                del left[name]
        return done

    def start(self, name, service):
        image, environment = service["image"], service.get("environment", {})
        if "/postgres:" in image:
            self.start_postgres(name, service)
        elif "build" in service:
            for port in service.get("ports", []):
                host, outer, inner = port.split(":")
                self.state.published[f"localhost:{outer}"] = f"{self.state.address(name)}:{inner}"
            create(self.state, name, service.get("command"), environment, read_only=service.get("read_only", False))
            if service.get("healthcheck", {}).get("disable"):
                log = Path(self.state.containers[name]["log"])
                wait(f"{name} listens", lambda: running(self.state, name) and "listening on" in log.read_text())
            else:
                wait_healthy(self.state, name)

    def start_postgres(self, name, service):
        """As the image does: with its superuser, and what is mounted to be run once."""
        mounted = [volume.split(":")[0] for volume in service["volumes"] if ":/docker-entrypoint-initdb.d" in volume]
        scripts = [script.read_text() for folder in mounted for script in sorted((ROOT / folder).glob("*.sql"))]
        environments = [service.get("environment", {}) for service in self.services.values()]
        urls = {environment["TRUEHOOK_DATABASE"] for environment in environments if "TRUEHOOK_DATABASE" in environment}
        start_postgres(self.state, name, scripts, service["environment"], urls)


def compose_services(file, env_file):
    """The services of a Compose file, with anchors merged and variables replaced by those of the file .env and of the environment."""
    variables = dict(line.split("=", 1) for line in env_file.read_text().split()) if env_file.exists() else {}
    variables.update(os.environ)

    def value(found):
        name, message = found[1], found[2]
        if name not in variables:
            raise Failure(f"required variable {name} is missing a value: {message}")
        return variables[name]

    text = re.sub(r"\$\{(\w+):\?([^}]*)\}", value, file.read_text())
    return yaml.safe_load(text)["services"]


# --- kubectl.


def kubectl(state, arguments):
    if arguments[:2] == ["--namespace", "truehook"]:
        arguments = arguments[2:]
    match arguments:
        case ["apply", "--filename", file]:
            list(yaml.safe_load_all(Path(file).read_text()))
        case ["create", "secret", "generic", name, *sources]:
            files = [source.removeprefix("--from-file=") for source in sources]
            state.secrets[name] = {file: Path(file).read_text() for file in files}
        case ["apply", "--kustomize", folder]:
            apply(state, manifests(Path(folder)))
        case ["rollout", "status", deployment]:
            name = deployment.removeprefix("deployment/")
            pods = [pod for pod in state.containers if pod.startswith(name)]
            if not pods:
                raise Failure(f"there is no deployment {name}")
            for pod in pods:
                wait(f"{pod} is ready", lambda pod=pod: is_ready(state, pod))
        case ["exec", deployment, "--", *command]:
            return execute(state, deployment.removeprefix("deployment/") + "-1", command)
        case _:
            raise Failure(f"kubectl {' '.join(arguments)}: scripts/containers does not know this command")
    state.save()
    return 0


def manifests(folder):
    """All resources that a kustomization names."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found = []
    for name in kustomization["resources"]:
        found += yaml.safe_load_all((folder / name).read_text())
    return found


def apply(state, resources):
    """Starts the pods of all deployments."""
    by_name = {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}
    # One of the operator's, with the role that docs/operations.md makes.
    sql, _ = re.findall(r"^```sql\n(.*?)^```$", (ROOT / "docs/operations.md").read_text(), re.DOTALL | re.MULTILINE)
    password = state.secrets["truehook"]["database-password"].strip()
    urls = {by_name["ConfigMap", "truehook"]["data"]["TRUEHOOK_DATABASE"]}
    authority = start_postgres(state, "database.example.com", [sql.replace("'...'", f"'{password}'")], {}, urls)
    # The authority of the database is one of the system's.
    bundle = (state.image_root / "etc/ssl/certs/ca-certificates.crt").read_text() + authority
    for resource in resources:
        if resource["kind"] != "Deployment":
            continue
        pod = resource["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        environment = {}
        for source in container["envFrom"]:
            environment.update(by_name["ConfigMap", source["configMapRef"]["name"]]["data"])
        environment.update({variable["name"]: variable["value"] for variable in container["env"]})
        files = {"/etc/ssl/certs/ca-certificates.crt": (bundle.encode(), 0o444)}
        for volume in pod["volumes"]:
            (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == volume["name"]]
            secret = volume["secret"]
            for key, text in state.secrets[secret["secretName"]].items():
                files[f"{mount['mountPath']}/{key}"] = (text.encode(), secret["defaultMode"])
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        probe = container["readinessProbe"]["httpGet"]
        for number in range(resource["spec"]["replicas"]):
            name = f"{resource['metadata']['name']}-{number + 1}"
            create(state, name, container["args"], environment, read_only=True, files=files)
            state.containers[name]["probe"] = [ports[probe["port"]], probe["path"]]


def is_ready(state, pod):
    container = running(state, pod)
    port, path = container["probe"]
    try:
        return answer(container["address"], port, path, container["address"])[0] == 200
    except OSError:
        return False


def main():
    program = {"docker": docker, "kubectl": kubectl}[sys.argv[1]]
    try:
        return program(State(os.environ["CONTAINERS_STATE"]), sys.argv[2:])
    except (Failure, subprocess.CalledProcessError) as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
