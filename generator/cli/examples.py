"""Two or three examples for the help of each command.

They are about a repository with the environments dev, staging and production, in which
`tests/generator/cli/test_examples.py` runs every one of them.
"""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": (
        "gen-env init airflow-gitops --url https://github.com/acme/airflow-gitops.git",
        "gen-env init prod-gitops --cluster eu --url git@gitlab.com:a/prod.git",
        "gen-env init own-gitops --forge gitea --ci-install image:acme/gen-env:1 --url https://git.example.com/acme/own.git",
    ),
    "new": (
        "gen-env new lab --tier development --cluster main",
        "gen-env new qa --from dev --no-input --no-commit",
    ),
    "adopt": (
        "gen-env adopt release/values.yaml --name legacy --cluster main --chart 1.22.0",
        "gen-env adopt release/values.yaml --name legacy --cluster main --chart 1.22.0 --write",
    ),
    "harden": ("gen-env harden staging --list", "gen-env harden staging --dry-run"),
    "generate": ("gen-env generate", "gen-env generate staging", "gen-env generate --check"),
    "validate": ("gen-env validate", "gen-env validate staging -o json"),
    "check": (
        "gen-env check values.yaml --chart 1.22.0",
        "gen-env check values.yaml values-production.yaml --chart 1.22.0 -o json",
    ),
    "explain": (
        "gen-env explain staging",
        "gen-env explain staging workers.resources",
        "gen-env explain staging flows",
    ),
    "secrets": ("gen-env secrets staging", "gen-env secrets staging -o json"),
    "seal": (
        "gen-env seal staging airflow-fernet-key --generate --cert sealing.pem",
        "gen-env seal staging airflow-git-ssh --from-file gitSshKey=id_ed25519 --cert sealing.pem",
    ),
    "render": ("gen-env render staging", "gen-env render staging -o json"),
    "diff": (
        "gen-env diff",
        "gen-env diff main HEAD --env staging -o markdown",
        "gen-env diff -o html",
    ),
    "upgrade": (
        "gen-env upgrade staging --airflow 3.3.2 --dry-run",
        "gen-env upgrade staging --chart 1.22.0 --dry-run",
    ),
    "promote": ("gen-env promote dev staging --dry-run", "gen-env promote staging production --pr"),
    "rollback": (
        "gen-env rollback staging --dry-run",
        "gen-env rollback staging --to HEAD~1 -o json --dry-run",
    ),
    "pause": ("gen-env pause staging --until 8h --dry-run", "gen-env pause staging --resume"),
    "restore": (
        "gen-env restore production",
        "gen-env restore production --at 2026-06-01T02:00:00Z --to restore-june",
    ),
    "rehearse": (
        "gen-env rehearse production --airflow 3.3.2 --dump backup.dump --rows manifest.json",
        "gen-env rehearse production --airflow 3.3.2 --job --image airflow:3.3.2",
        "gen-env rehearse production --airflow 3.3.2 --result printed.json",
    ),
    "remove": ("gen-env remove dev --dry-run", "gen-env remove staging --no-commit -o json"),
    "eject": ("gen-env eject staging --dry-run", "gen-env eject --keep --dry-run"),
    "status": ("gen-env status", "gen-env status staging -o json"),
    "verify": (
        "gen-env verify staging --print-role",
        "gen-env verify staging --timeout 60 -o json",
    ),
    "cluster": (
        "gen-env cluster inspect prod-eu",
        "gen-env cluster inspect arn:aws:eks:eu-west-1:1234:cluster/prod --name eu --write",
    ),
    "health": ("gen-env health -f objects.yaml", "gen-env health -f objects.yaml -o json"),
    "doctor": ("gen-env doctor --offline", "gen-env doctor --timeout 3 -o json"),
    "chart": ("gen-env chart list", "gen-env chart add airflow-1.22.0.tgz"),
    "image": (
        "gen-env image inspect airflow.tar --env staging",
        "gen-env image inspect --airflow 3.3.2 --of 3.3.2-r18",
    ),
    "schema": ("gen-env schema environment", "gen-env schema repository"),
    "completion": ("gen-env completion bash > gen-env.bash", "gen-env completion fish"),
}


def epilog(name: str) -> str:
    """The examples of a command for the end of its help."""
    lines = "\n".join(f"  {line}" for line in EXAMPLES[name])
    return f"\b\nExamples:\n{lines}"
