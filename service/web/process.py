"""The web process: gunicorn over workers of our own, configured here and nowhere else."""

from __future__ import annotations

from typing import Any

from service.settings.schema import Settings


def run(settings: Settings, *, processes: int = 1) -> int:
    """Serve until SIGTERM; requests that have begun are answered."""
    from gunicorn.app.base import BaseApplication

    from service.web.buffered import BufferedWorker

    host, _, port = settings.listen.replace("[", "").replace("]", "").rpartition(":")
    options = {
        "bind": [f"[{host}]:{port}" if ":" in host else settings.listen],
        "workers": processes,
        "worker_class": BufferedWorker,
        "threads": settings.threads,
        "timeout": 30,
        "graceful_timeout": 20,
        "preload_app": False,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "proc_name": "gen-env-web",
        "control_socket_disable": True,
    }

    class Server(BaseApplication):  # type: ignore[misc]
        """gunicorn without its command line and configuration files."""

        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            # In the worker, after the fork: connections must not be shared.
            from service.store import runs
            from service.telemetry import tracing
            from service.telemetry.meter import Flusher
            from service.web.app import create_app

            tracing.configure("web")
            app = create_app(settings)
            flusher = Flusher(runs.writer(app.extensions["gen-env"].engine))
            flusher.start()

            def end(_arbiter: Any, _worker: Any) -> None:
                flusher.stop()
                tracing.stop()

            # Called by gunicorn in the process that ends, after its last answer.
            self.cfg.set("worker_exit", end)
            return app

    Server().run()
    return 0
