"""What stands beside secrets and is none: it must stay readable."""

import random
from collections.abc import Iterator

from tests.generator.redaction.corpus import BASE64, HEX

NEIGHBOURS = {
    "digests and commits": """
        image: registry.example.com/airflow@sha256:{hex64}
        image: registry.example.com/airflow:3.2.2@sha256:{hex64}
        revision: {hex40}
        https://github.com/example/dags/commit/{hex40}
        checksum/fernet-key: {hex64}
        checksum/webserver-secret-key: {hex64}
        digest: {hex64}
        uid: 123e4567-e89b-12d3-a456-426614174000
        https://login.microsoftonline.com/123e4567-e89b-12d3-a456-426614174000/v2.0
        integrity: sha512-{base86}==
    """,
    "names with digits and capitals": """
        prod_data_warehouse_Snowflake2BigQueryTransfer3Operator
        postgres_exporter_Version15Build20240101Linux64
        spark-job_Etl2024Q1Run17ForRegionEMEA2
        registry.example.com/team/airflow-dags:main-{hex40}
        sdk-version-3.2.2 api-9bcfbe07-team pat-na1-team sk_learn_model_training_pipeline
        re_data_platform_team fc-west-1 access-production-db-reader signkey-rotation
        s3://bucket-EU1/airflow_logs/Prod1Env2Logs3
    """,
    "names of secrets": """
        secretName: airflow-fernet
        passwordSecret: airflow-database
        passwordSecretName: airflow-database
        fernetKeySecretName: airflow-fernet-key
        existingSecret: airflow-redis
        sshKeySecret: airflow-ssh
        tlsSecret: airflow-tls
        secretKeyRef: {{name: airflow-db, key: password}}
        imagePullSecrets: [{{name: registry}}]
        valueFrom: {{secretKeyRef: {{name: x, key: fernet-key}}}}
        adminPasswordKey: postgres-password
        AIRFLOW__CORE__FERNET_KEY_SECRET: airflow/config/fernet_key
        AIRFLOW__CORE__FERNET_KEY_CMD: cat /run/fernet
    """,
    "paths and references": """
        private_key: /etc/ssl/private/tls.key
        GOOGLE_APPLICATION_CREDENTIALS=/var/secrets/key.json
        SSH_KEY=~/.ssh/id_ed25519
        ssl_key: certs/server.key
        password = $(DB_PASSWORD)
        password: ${{DB_PASSWORD}}
        token: {{{{ var.value.token }}}}
        TOKEN=$(cat /var/run/secrets/token)
        client_key: arn:aws:secretsmanager:eu-west-1:111122223333:secret:x
        https://$(USER):$(PASSWORD)@example.com
        Authorization: Bearer $TOKEN
        curl -H "Authorization: Bearer ${{TOKEN}}" https://example.com
        mysql -h db -u root -p"$MYSQL_PASSWORD"
    """,
    "settings about secrets": """
        token_url: https://login.example.com/oauth2/token
        TOKEN_URL=https://login.example.com/oauth2/token
        max_tokens: 4096
        token_limit: 500
        tokenExpirationSeconds: 3600
        password_min_length: 12
        automountServiceAccountToken: false
        api_key_header: X-Api-Key
        hash_algorithm: sha256
        auth: basic
        auth_backends: airflow.api.auth.backend.session
        authorization: enabled
        cookie_name: session
    """,
    "keys that are none": """
        sort_key: name
        partition_key: date
        primary_key: id
        cache_key: airflow-dags-v2
        routing_key: tasks.default
        topologyKey: kubernetes.io/hostname
        public_key: {base86}
        key: tls.crt
        object_key: exports/2026/dags.zip
        monkey: bananas hotkey: ctrl turnkey: yes
        ROUTING_KEY_PROD: team-prod-key
        API_KEY_ROTATION_DAYS: 30
        partition_key_new: 2026-01
        --sort.key name
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{base43} user@host
        -----BEGIN CERTIFICATE-----
    """,
    "addresses": """
        git@github.com:example/dags.git
        ssh://git@github.com/example/dags.git
        postgresql://airflow@pg.example.com/airflow
        https://registry.example.com/@scope/package
        https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/index.html
        http://airflow-api-server:8080/execution/
        https://example.com/webhooks/airflow
        https://example.com/x?page=2&sort=name
        https://example.com/x?routing_key=tasks.default&sort_key=Zk3pQ9vTx2Lm
        gs://bucket/path@2026
        https://my-account.okta.com/oauth2/default
        s3://example-logs/production
    """,
    "commands": """
        docker run -u 50000:0 registry.example.com/airflow
        docker run --user airflow:root registry.example.com/airflow
        kubectl port-forward -n airflow svc/api 8080:8080
        mysql -h db -P 3306 -u root airflow
        curl -sSf https://example.com/health
        psql -h db -p 5432 -U airflow
        chown -R airflow:root /opt/airflow
        mkdir -p /opt/airflow/logs
        redis-cli -h cache -p 6379 ping
    """,
    "structures": """
        <secretName>airflow</secretName>
        <key>database</key><value>airflow</value>
        call('name', 'value')
        get('routing_key', 'tasks.default')
        public_key_pem: abc
    """,
    "names and sentences": """
        sk-team-airflow-production-namespace
        task-runner-of-the-production-namespace
        npm_config_registry=https://registry.example.com
        Bearer authentication is used
        Access-Control-Allow-Headers: Authorization, Content-Type
        the Fernet key is read from a file
        10:20:30:40:50
        00:11:22:33:44:55
        2026-01-01T10:20:30.000Z
        executor: CeleryExecutor,KubernetesExecutor
    """,
}


def neighbours() -> Iterator[tuple[str, str]]:
    """Class and text of what must stay readable."""
    letters = random.Random("neighbours")
    words = {
        f"{name}{length}": "".join(letters.choices(alphabet, k=length))
        for name, alphabet, length in (
            ("hex", HEX, 64),
            ("hex", HEX, 40),
            ("base", BASE64, 86),
            ("base", BASE64, 43),
        )
    }
    for kind, lines in NEIGHBOURS.items():
        for line in lines.strip().splitlines():
            yield kind, line.strip().format(**words)
