# SPDX-License-Identifier: Apache-2.0
"""A throw-away PgBouncer in front of a PostgreSQL, or of a rowcall before one."""
import shutil
import signal

from servers import Server
from waiting import answers


class PgBouncer(Server):
    """Pools transactions. upstream: (host, port); pool: server connections; settings: further lines of [pgbouncer]. Anybody may connect."""

    stop_signal = signal.SIGINT

    def create(self):
        host, port = self.settings["upstream"]
        more = "\n".join(f"{name} = {value}" for name, value in self.settings.get("lines", {}).items())
        config = self.dir / "pgbouncer.ini"
        config.write_text(f"""\
[databases]
app = host={host} port={port} dbname=app user=app password=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {self.settings.get("pool", 2)}
ignore_startup_parameters = extra_float_digits
{more}
""")
        self.own(config)

    def launch(self):
        self.spawn(shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/bin"), str(self.dir / "pgbouncer.ini"))

    def ready(self):
        return answers("127.0.0.1", self.port)

    def url(self):
        return f"postgresql://app:app@127.0.0.1:{self.port}/app"
