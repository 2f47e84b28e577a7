"""The product on each of its stores, and the programs that it is measured beside."""
import http.client
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

from contest import Missing
from processes import Server, cpu, free_port, need, reference, run

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(TOP, "target", "release")
PROGRAM = os.path.join(RELEASE, "image-vault")
PASSWORD = "a wedding of four herons"
STORES = ("embedded", "MongoDB")
# Limits so high that no measurement meets them: they are not measured here.
UNLIMITED = (
    "ANONYMOUS_CALLS_PER_MINUTE",
    "ACCOUNT_CALLS_PER_MINUTE",
    "THUMBNAIL_CALLS_PER_MINUTE",
    "REGISTRATIONS_PER_HOUR",
)


class Bench:
    """Shared by all measurements: a scratch folder, the photographs, one mongod."""

    def __init__(self, scratch, corpus, quick, before=None):
        self.scratch, self.quick = scratch, quick
        # Another build of the program, to be measured beside this one.
        self.before = before
        names = sorted(name for name in os.listdir(corpus) if name.endswith(".jpg"))
        self.photos = [os.path.join(corpus, name) for name in names]
        self.bytes = sum(os.path.getsize(photo) for photo in self.photos)
        self._made = 0
        self._mongod = None

    def folder(self, name):
        self._made += 1
        path = os.path.join(self.scratch, f"{self._made:03}-{name}")
        os.makedirs(path)
        return path

    def mongod(self):
        """The server's URI; started when it is first wanted."""
        if self._mongod is None:
            self._dbpath = self.folder("mongod")
            command = [os.path.join(TOP, "scripts", "mongod"), "start", "--dbpath", self._dbpath]
            self._mongod = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
            self._uri = self._mongod.stdout.readline().strip()
        return self._uri

    def mongod_cpu(self):
        """Seconds of processor time that mongod has taken so far."""
        return cpu(self._mongod.pid) if self._mongod else 0

    def database(self):
        """A fresh database."""
        self._made += 1
        address, options = self.mongod().split("?", 1)
        return f"{address}bench{self._made}?{options}"

    def close(self):
        """Ends mongod and removes its files; another one is started where one is wanted again."""
        if self._mongod is not None:
            self._mongod.terminate()
            self._mongod.wait()
            self._mongod = None
            shutil.rmtree(self._dbpath)


class Vault(Server):
    """One process of Image Vault."""

    def __init__(self, store, data, log, program=PROGRAM):
        port = free_port()
        env = {key: value for key, value in os.environ.items() if not key.startswith(("ROCKET_", "IMAGE_VAULT_"))}
        env |= {"ROCKET_PORT": str(port), "IMAGE_VAULT_STORE": store, "IMAGE_VAULT_DATA_DIR": data}
        env |= {f"IMAGE_VAULT_{name}": "0" for name in UNLIMITED}
        self.token = None
        super().__init__([program], port, "/health/ready", log, env, TOP)

    @property
    def headers(self):
        return [f"Authorization: Bearer {self.token}"]

    def call(self, method, path, body=None):
        """One call of the API; the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]}") from error

    def register(self, user="ada"):
        new = {"username": user, "email": f"{user}@example.org", "password": PASSWORD}
        self.call("POST", "/api/v1/accounts", new)
        self.sign_in(user)

    def sign_in(self, user="ada"):
        self.token = None
        begun = self.call("POST", "/api/v1/sessions", {"login": user, "password": PASSWORD})
        self.token = begun["token"]

    def cookie(self, user="ada"):
        """The session cookie of a browser that signs in."""
        form = urllib.parse.urlencode({"login": user, "password": PASSWORD})
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request("POST", "/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        return link.getresponse().headers["Set-Cookie"].split(";")[0]

    def upload_of(self, photo):
        name = urllib.parse.quote(os.path.basename(photo))
        url = f"{self.base}/api/v1/images?name={name}"
        headers = [*self.headers, "Content-Type: image/jpeg"]
        return {"url": url, "file": photo, "method": "POST", "headers": headers}

    def ids(self, limit=500):
        return [image["id"] for image in self.call("GET", f"/api/v1/images?limit={limit}")["items"]]

    def archive(self):
        """The address of a zip of everything."""
        return self.base + self.call("POST", "/api/v1/archives", {"all": True})["url"]


class Place:
    """A vault's store and files, which outlive the servers on them."""

    def __init__(self, bench, store, program=PROGRAM):
        self.bench, self.data, self.program = bench, bench.folder(f"vault-{store}"), program
        self.uri = "embedded" if store == "embedded" else bench.database()

    def start(self):
        return Vault(self.uri, self.data, os.path.join(self.bench.folder("log"), "server.log"), self.program)

    def remove(self):
        """Frees the disk as far as possible; mongod's files are removed by `Bench.close`."""
        shutil.rmtree(self.data)

    def seed(self, count, user="ada"):
        """Adds pictures that exist as records only."""
        run([os.path.join(RELEASE, "examples", "seed_records"), self.uri, self.data, user, PASSWORD, str(count)])


@contextmanager
def vault(bench, store):
    """A server on a fresh store, with somebody signed in."""
    place = Place(bench, store)
    try:
        with place.start() as server:
            server.register()
            yield server
    finally:
        place.remove()


NGINX = """
worker_processes auto; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {files}; autoindex on; client_max_body_size 0; dav_methods PUT; }}
}}
"""


def nginx(bench, files):
    """Plain files by sendfile."""
    program = shutil.which("nginx") or need("/usr/sbin/nginx")
    folder, port = bench.folder("nginx"), free_port()
    # Started as root, its workers would run as another user, who may not read our folders.
    user = "user root;" if os.geteuid() == 0 else ""
    with open(os.path.join(folder, "nginx.conf"), "w") as config:
        config.write(user + NGINX.format(folder=folder, files=files, port=port))
    command = [program, "-p", folder, "-c", os.path.join(folder, "nginx.conf")]
    return reference(command, port, "/", os.path.join(folder, "log"))


def copyparty(bench, files, decoder):
    """A file server with thumbnails, by Pillow ("pil") or pyvips ("vips")."""
    program = os.path.join(os.path.dirname(sys.executable), "copyparty")
    if not os.path.exists(program):
        raise Missing("copyparty is not installed")
    folder, port = bench.folder("copyparty"), free_port()
    command = [program, "-q", "-i", "127.0.0.1", "-p", str(port), "-v", f"{files}::rwmd", "--th-dec", decoder]
    command += ["--th-size", "400x400", "--th-crop", "fn", "--no-crt", "--hist", os.path.join(folder, "hist")]
    env = {**os.environ, "XDG_CONFIG_HOME": folder, "HOME": folder}
    return reference(command, port, "/?ls", os.path.join(folder, "log"), env, folder)


def dufs_program():
    """The path of the program, if it is installed."""
    local = os.path.join(TOP, "target", "tools", "cargo", "bin", "dufs")
    return local if os.path.exists(local) else shutil.which("dufs")


def dufs(bench, files):
    """A file server in Rust."""
    program = dufs_program() or need("dufs")
    folder, port = bench.folder("dufs"), free_port()
    command = [program, files, "-b", "127.0.0.1", "-p", str(port), "-A", "--compress", "none"]
    return reference(command, port, "/", os.path.join(folder, "log"))
