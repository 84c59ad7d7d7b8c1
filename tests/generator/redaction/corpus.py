"""Secrets of every published shape, and what stands beside them and is none.

Made from descriptions of the formats (prefix, alphabet, length), always the same ones. A prefix and
what follows it meet only when the tests run, so that no scanner of repositories takes this file for
a leak.
"""

import base64
import dataclasses
import itertools
import json
import random
import string
from collections.abc import Iterator
from urllib.parse import quote

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = LOWER + UPPER + DIGITS
HEX = DIGITS + "abcdef"
URL_SAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"


def words(text):
    return text.split()


@dataclasses.dataclass(frozen=True)
class Example:
    """A text, what of it must not be seen, and what must stay."""

    kind: str
    text: str
    secret: str
    stays: str = ""


KINDS = {
    "published tokens": "tokens that are known by how they begin, wherever they stand",
    "user info": "passwords and lone tokens in addresses of any scheme, also percent-encoded",
    "query parameters": "`token=`, `sig=`, `api_key=` and their like, signatures of presigned URLs",
    "webhooks": "the path or query with which anybody can write; long random paths",
    "headers": "Authorization and its relatives, `X-…-Token`, cookies: in commands, proxies, JSON",
    "commands": "`curl -u`, `mysql -p…`, `redis-cli -a`, `docker login -p` and others",
    "files and connection strings": "`.netrc`, `.pgpass`, user lists, hashes, ADO.NET, JDBC",
    "names": "what a name says is secret, unless it is a path, a name or a reference",
    "private keys": "PEM, OpenSSH, PGP, PuTTY and JWK, also cut ones",
    "base64": "base64 that holds any of these, registry logins",
}

# What the vendors publish about their tokens: beginning, alphabet and length of the rest, end.
TOKENS = (
    ("GitHub personal", "ghp_", ALNUM, 36, ""),
    ("GitHub OAuth", "gho_", ALNUM, 36, ""),
    ("GitHub user to server", "ghu_", ALNUM, 36, ""),
    ("GitHub server to server", "ghs_", ALNUM, 36, ""),
    ("GitHub refresh", "ghr_", ALNUM, 36, ""),
    ("GitHub fine-grained", "github_pat_", ALNUM, 82, ""),
    *(
        (f"GitLab {kind}", f"{kind}-", URL_SAFE, 20, "")
        for kind in words("glpat gldt glrt glrtr glft glimt glagent glcbt glptt glsoat gloas")
    ),
    ("GitLab routable", "glpat-", ALNUM, 40, ".01.abcd123ef"),
    ("AWS access key id", "AKIA", UPPER + "234567", 16, ""),
    ("AWS session key id", "ASIA", UPPER + "234567", 16, ""),
    ("Slack bot", "xoxb-", DIGITS, 12, "-abcDEF123456"),
    ("Slack user", "xoxp-", DIGITS, 12, "-abcDEF123456"),
    ("Slack app", "xapp-", ALNUM, 40, ""),
    ("Google API key", "AIza", URL_SAFE, 35, ""),
    ("Google OAuth access", "ya29.", URL_SAFE, 60, ""),
    ("Google OAuth client", "GOCSPX-", URL_SAFE, 28, ""),
    ("Stripe live", "sk_live_", ALNUM, 24, ""),
    ("Stripe test", "sk_test_", ALNUM, 24, ""),
    ("Stripe restricted", "rk_live_", ALNUM, 24, ""),
    ("Stripe webhook", "whsec_", ALNUM, 32, ""),
    ("npm", "npm_", ALNUM, 36, ""),
    ("PyPI", "pypi-", URL_SAFE, 120, "A"),
    ("Hugging Face", "hf_", ALNUM, 34, ""),
    ("OpenAI", "sk-proj-", ALNUM, 48, ""),
    ("Anthropic", "sk-ant-api03-", URL_SAFE, 93, "AA"),
    ("DigitalOcean", "dop_v1_", HEX, 64, ""),
    ("Databricks", "dapi", HEX, 32, ""),
    ("Vault service", "hvs.", ALNUM, 24, ""),
    ("Vault batch", "hvb.", URL_SAFE, 140, ""),
    ("Terraform", "", ALNUM, 14, ".atlasv1." + "aB3dE6gH9j" * 6),
    ("SendGrid", "SG.", URL_SAFE, 22, "." + "aB3dE6gH9jK" * 4),
    ("Twilio", "SK", HEX, 32, ""),
    ("Docker Hub", "dckr_pat_", URL_SAFE, 27, ""),
    ("Doppler", "dp.pt.", ALNUM, 43, ""),
    ("Grafana service account", "glsa_", ALNUM, 32, "_a1b2c3d4"),
    ("Grafana Cloud", "glc_", BASE64, 60, "="),
    ("New Relic user", "NRAK-", UPPER + DIGITS, 27, ""),
    ("New Relic licence", "", HEX, 36, "NRAL"),
    ("Sentry organisation", "sntrys_", BASE64, 80, ""),
    ("Age", "AGE-SECRET-KEY-1", UPPER + DIGITS, 58, ""),
    ("Linear", "lin_api_", ALNUM, 40, ""),
    ("Postman", "PMAK-", HEX, 24, "-" + "0a" * 17),
    ("Pulumi", "pul-", HEX, 40, ""),
    ("Prefect", "pnu_", ALNUM, 36, ""),
    ("PlanetScale", "pscale_tkn_", ALNUM, 43, ""),
    ("RubyGems", "rubygems_", HEX, 48, ""),
    ("Shopify", "shpat_", HEX, 32, ""),
    ("OpenShift", "sha256~", URL_SAFE, 43, ""),
    ("Tailscale", "tskey-auth-", ALNUM, 30, ""),
    ("Dynatrace", "dt0c01.", UPPER + DIGITS, 24, "." + "A1" * 32),
    ("Heroku", "HRKU-AA", URL_SAFE, 58, ""),
    ("Atlassian", "ATATT3", ALNUM, 100, "=0A1B2C3D"),
    ("Telegram", "", DIGITS, 10, ":AA" + "aB3dE6gH9jK" * 3),
    ("Azure client", "", ALNUM, 3, "8Q~" + "aB3dE6gH9jK" * 3 + "x"),
    ("Azure storage account", "", BASE64, 86, "=="),
    ("Fernet", "", URL_SAFE, 43, "="),
    ("Aiven password", "AVNS_", ALNUM, 20, ""),
    ("Axiom", "xaat-", HEX, 8, "-1234-5678-9abc-0123456789ab"),
    ("Braintree", "access_token$production$", HEX, 16, "$" + "0a" * 16),
    ("Cloudflare origin", "v1.0-", HEX, 24, "-" + "0a" * 73),
    ("Datadog", "ddapp_", ALNUM, 34, ""),
    ("Dropbox", "sl.u.", URL_SAFE, 135, ""),
    ("E2B", "e2b_", HEX, 40, ""),
    ("EasyPost", "EZAK", ALNUM, 54, ""),
    ("ElevenLabs", "sk_", HEX, 48, ""),
    ("Flutterwave", "FLWSECK_TEST-", HEX, 32, "-X"),
    ("Google HMAC", "GOOG1E", UPPER + DIGITS, 55, ""),
    ("Harness", "pat.", ALNUM, 22, "." + "0a" * 12 + "." + "aB3d" * 5),
    ("HubSpot", "pat-na2-", HEX, 8, "-1234-5678-9abc-0123456789ab"),
    ("Inngest", "signkey-prod-", HEX, 64, ""),
    ("K3s", "K10", HEX, 64, "::server:" + "0a" * 16),
    ("LaunchDarkly", "sdk-", HEX, 8, "-1234-5678-9abc-0123456789ab"),
    ("Mailgun", "", HEX, 32, "-0a1b2c3d-4e5f6071"),
    ("Mapbox", "sk.eyJ1Ijoi", ALNUM, 60, ".aB3dE6gH9jKlMnOpQrSt"),
    ("NuGet", "oy2", LOWER + DIGITS, 43, ""),
    ("Packagist", "packagist_uut_", HEX, 68, ""),
    ("Plaid", "access-production-", HEX, 8, "-1234-5678-9abc-0123456789ab"),
    ("Resend", "re_", ALNUM, 8, "_" + "aB3dE6gH" * 3),
    ("Salesforce", "00D", ALNUM, 12, "!AQ" + "aB3dE6gH" * 11),
    ("Shippo", "shippo_live_", HEX, 40, ""),
    ("Adyen", "AQEyhmf", ALNUM, 60, "-" + "aB3dE6gH" * 5),
    ("Okta", "00", ALNUM, 40, ""),
    ("Sanity", "sk", ALNUM, 160, ""),
    ("Snyk", "snyk_uat.", HEX, 8, "." + "aB3dE6gH" * 8),
    ("Sourcegraph", "sgp_local_", HEX, 40, ""),
    ("Stripe organisation", "sk_org_live_", ALNUM, 40, ""),
    ("Tencent", "AKID", ALNUM, 32, ""),
    ("Yandex", "AQVN", URL_SAFE, 36, ""),
    ("Azure signed", "", ALNUM, 52, "JQQJ99BAACYeBjFXJ3w3AAABACOG1a2b"),
    *(
        (f"vendor of {start}", start, ALNUM, 32, "Q7rX2")
        for start in words("figd_ pcsk_ napi_ tvly- phx_ zpka_ apify_api_ cfut_ vcp_ nvapi- jina_")
    ),
    ("vendor in no list", "newvendor_live_", ALNUM, 40, "a7Bc9dXy2z"),
    ("JSON Web Token", "eyJ", ALNUM, 30, ".eyJzdWIiOiIxMjM0In0." + "aB3dE6gH9jK" * 3),
)
# Where a token may stand; the first part of each is what must stay.
AROUND = (
    "x: {}",
    'note "{}" here',
    '{{"a": "{}"}}',
    "run --with={} now",
    "first\\n{}\\nlast",
    "https://example.com/{}/x",
    "a={};b=1",
)

USERS = words("postgresql postgresql+psycopg2 mysql mssql+pyodbc redis rediss amqp amqps mongodb")
USERS += words("mongodb+srv snowflake smtp ftp sftp ssh ldap kafka http https git+https socks5")
PARAMETERS = words("token access_token api_key apikey sig signature key password sslpassword")
PARAMETERS += [
    "client_secret",
    "code",
    "auth",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "private_token",
    "subscription-key",
    "writeKey",
    "routing_key",
    "API_KEY_PROD",
]
HOOKS = words(
    "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/{}"
    " https://hooks.slack.com/workflows/T0AAAAAAA/A0/{}"
    " https://example.webhook.office.com/webhookb2/{}"
    " https://outlook.office.com/webhook/{}"
    " https://discord.com/api/webhooks/1234567890/{}"
    " https://discordapp.com/api/webhooks/1234567890/{}"
    " https://chat.googleapis.com/v1/spaces/AAAA/messages?key=a&token={}"
    " https://events.pagerduty.com/integration/{}/enqueue"
    " https://events.eu.pagerduty.com/x-ere/{}"
    " https://api.opsgenie.com/v1/json/datadog?apiKey={}"
    " https://http-intake.logs.datadoghq.com/v1/input/{}"
    " https://app.datadoghq.com/api/v1/events?api_key={}"
    " https://hooks.zapier.com/hooks/catch/{}"
    " https://maker.ifttt.com/trigger/x/with/key/{}"
    " https://api.telegram.org/bot{}/sendMessage"
    " https://open.feishu.cn/open-apis/bot/v2/hook/{} https://hc-ping.com/{}"
    " https://chat.example.com/hooks/{} https://alerts.example.com/notify/{}"
)
HEADERS = (
    "Authorization: Bearer {}",
    "authorization: token {}",
    "AUTHORIZATION: basic {}",
    "Proxy-Authorization: Basic {}",
    "Authorization: GenieKey {}",
    'proxy_set_header Authorization "Basic {}";',
    'proxy_set_header X-Api-Key "{}";',
    'more_set_input_headers "Authorization: Bearer {}";',
    'http-request set-header Authorization "Bearer {}"',
    'RequestHeader set X-Auth-Token "{}"',
    '{{"headers": {{"Authorization": "Bearer {}"}}}}',
    '{{"headers": {{"X-Vault-Token": "{}"}}}}',
    "curl -H 'PRIVATE-TOKEN: {}' https://example.com",
    'curl -H "DD-API-KEY: {}" https://example.com',
    "Cookie: session={}",
    'git -c http.extraHeader="Authorization: Basic {}" fetch',
    'Authorization: Digest username="u", response="{}"',
)
COMMANDS = (
    "curl -u user:{} https://example.com",
    "curl -sSu user:{} https://example.com",
    "curl --user 'user:{}' https://example.com",
    "curl --proxy-user user:{} https://example.com",
    "mysql -h db -uroot -p{} airflow",
    "mysqldump --password={} airflow",
    "mariadb -p'{}' airflow",
    "PGPASSWORD={} psql -h db",
    'psql "postgresql://u:{}@db/airflow"',
    "redis-cli -h cache -a {} ping",
    "sshpass -p {} ssh host",
    "sshpass -p{} ssh host",
    "docker login -u user -p {} registry.example.com",
    "docker login --password {} registry.example.com",
    "echo {} | docker login --password-stdin",
    "helm registry login -u user -p {} registry.example.com",
    "skopeo copy --src-creds user:{} docker://a docker://b",
    "ldapsearch -D cn=x -w {} -b dc=x",
    "mongosh -u user -p {} db",
    "vault login {}",
    "airflow users create -u admin -p {}",
    "airflow connections add x --conn-password {}",
    "aws configure set aws_secret_access_key {}",
    "kubectl create secret generic x --from-literal=any={}",
    "openssl enc -aes-256-cbc -k {} -in x",
    "rabbitmqctl add_user user {}",
    "htpasswd -nb user {}",
    "CREATE USER airflow IDENTIFIED BY '{}'",
    "SET PASSWORD FOR 'airflow'@'db' = '{}'",
    "ALTER ROLE airflow PASSWORD $${}$$",
    "curl --oauth2-bearer {} https://example.com",
    "curl -b session={} https://example.com",
    "ENV DB_PASSWORD {}",
    "set -x DB_PASSWORD {}",
    "setx DB_PASSWORD {}",
)
FILES = (
    ".netrc, one line|machine example.com login user password {}",
    ".netrc, lines|machine example.com\n  login user\n  password {}\n",
    ".netrc, default|default login user password {}",
    ".pgpass|db.example.com:5432:airflow:airflow:{}",
    ".pgpass, any host|*:*:*:airflow:{}",
    'userlist.txt|"airflow" "{}"',
    "htpasswd, MD5|user:$apr1$saltsalt${}",
    "htpasswd, bcrypt|user:$2y$10${}",
    "shadow|user:$6$saltsalt${}:19000:0",
    'SCRAM|"airflow" "SCRAM-SHA-256$4096:{}"',
    "redis.conf|requirepass {}",
    "ldap.conf|bindpw {}",
    "npmrc|//registry.example.com/:_authToken={}",
    "pip.conf|index-url = https://user:{}@pypi.example.com/simple",
    "git-credentials|https://user:{}@github.com",
    "credentials of AWS|[default]\naws_secret_access_key = {}\n",
    "odbc.ini|Driver=x;Server=h;UID=u;PWD={};Encrypt=yes",
    "ADO.NET|Server=h;Database=d;User Id=u;Password={};Encrypt=true",
    "Azure storage|DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=x",
    "Azure Service Bus|Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey={}",
    "JDBC|jdbc:postgresql://db/airflow?user=u&password={}",
    "JDBC, SQL Server|jdbc:sqlserver://db;user=u;password={};",
    "libpq|host=db user=u password={} dbname=d",
    "properties|spring.datasource.password={}",
    "XML, element|<password>{}</password>",
    "XML, pair|<property><name>x.ConnectionPassword</name><value>{}</value></property>",
    "YAML, line below|user: a\npassword:\n  {}\nport: 1\n",
    "YAML, list below|passwords:\n  - {}\n",
    "Python, subscript|os.environ['DB_PASSWORD'] = '{}'",
    "Python, call|os.environ.setdefault('DB_PASSWORD', '{}')",
    "Python, tuple|requests.get(url, auth=('user', '{}'))",
    'JSON in JSON in JSON|{{"i": "{{\\"j\\": \\"{{\\\\\\"client_secret\\\\\\": '
    '\\\\\\"{}\\\\\\"}}\\"}}"}}',
    "a parameter in a parameter|https://example.com/?state=password%3D{}",
    "a Secret in YAML|kind: Secret\nstringData:\n  any: {}\n",
    "AIRFLOW_CONN, address|AIRFLOW_CONN_X=http://u:{}@h",
    'AIRFLOW_CONN, JSON|AIRFLOW_CONN_X={{"conn_type": "http", "password": "{}"}}',
    'Vault AppRole|{{"auth_type": "approle", "role_id": "r", "secret_id": "{}"}}',
)
NAMES = words(
    "DB_PASSWORD SMTP_PASS BIND_PW x_pwd PGPASSWORD client_secret clientSecret JWT_SECRET"
    " api_key apiKey DATADOG_APP_KEY HMAC_KEY ROUTING_KEY SERVICE_KEY DEPLOY_KEY"
    " signing-key encryptionKey license_key VAULT_SECRET_ID secret_id fernet_key"
    " AIRFLOW__CORE__FERNET_KEY AWS_SECRET_ACCESS_KEY ssh_passphrase snowflake_token"
    " SENTRY_DSN connectionString client-key-data webhookKey accountKey OTP_SEED"
    " private_key master_key x_credentials API_KEY_V2 SIGNING_KEY_HEX DATA_KEY_BASE64"
    " DB_CREDENTIALS_JSON AUTH_PEPPER DB_PASSWORT writekey masterkey signingkey API_KEY_PROD"
    " STRIPE_KEY_LIVE requirepass masterauth sasl.password"
)
KEYS = "RSA PRIVATE KEY|EC PRIVATE KEY|PRIVATE KEY|ENCRYPTED PRIVATE KEY|OPENSSH PRIVATE KEY"
KEYS += "|DSA PRIVATE KEY|PGP PRIVATE KEY BLOCK"


def examples(seed: str = "corpus") -> Iterator[Example]:
    """Every example; another seed gives other secrets in the same places."""
    letters = random.Random(seed)

    def word(alphabet: str = ALNUM, length: int = 24) -> str:
        # A letter and digits first, so that no example is a word of letters alone.
        head = "".join(character for character in "a7" if character in alphabet)
        return head + "".join(letters.choices(alphabet, k=length - len(head)))

    for vendor, start, alphabet, length, end in TOKENS:
        # A slash of the alphabet of base64 would begin another part of a path.
        for around in AROUND if alphabet != BASE64 else AROUND[:5]:
            token = start + word(alphabet, length) + end
            yield Example("published tokens", around.format(token), token, vendor)
    yield from _addresses(word)
    for kind, templates in (
        ("webhooks", HOOKS),
        ("headers", HEADERS),
        ("commands", COMMANDS),
        ("files and connection strings", FILES),
    ):
        for template in templates:
            secret = word()
            yield Example(
                kind,
                template.partition("|")[2].format(secret)
                if kind.startswith("files")
                else template.format(secret),
                secret,
            )
    yield from _names(word)
    yield from _keys(word)
    yield from _encoded(word)


def _addresses(word) -> Iterator[Example]:
    for scheme in USERS:
        secret = word()
        yield Example("user info", f"{scheme}://user:{secret}@db.example.com:5432/x", secret)
        yield Example("user info", f"address=//:{secret}@db.example.com:5432/x", secret)
        yield Example("user info", f'{{"u": "{scheme}:\\/\\/user:{secret}@db\\/x"}}', secret)
        encoded = quote(f"{scheme}://user:{secret}@db/x", safe="")
        yield Example("user info", f"uri={encoded}", secret)
        yield Example("user info", "uri=" + quote(f"{scheme}://user:{secret}@db/x"), secret)
    for user in ("{}", "{}:x-oauth-basic", "x-access-token:{}", "oauth2:{}", ":{}"):
        secret = word()
        address = f"https://{user.format(secret)}@github.com/example/dags.git"
        yield Example("user info", address, secret)
    for name, around in itertools.product(PARAMETERS, ("?{}={}&z=1", "?a=1&{}={}")):
        secret = word()
        address = "https://store.example.com/x" + around.format(name, secret)
        yield Example("query parameters", address, secret)


def _names(word) -> Iterator[Example]:
    for name in NAMES:
        for around in ("{}: {}", "{}={}", 'export {}="{}"', '{{"{}": "{}"}}', "--{} {}",
                       "- name: {}\n  value: {}\n", "{{key: {}, val: {}}}",
                       "setdefault('{}', '{}')"):  # fmt: skip
            secret = word()
            yield Example("names", around.format(name, secret), secret)


def _keys(word) -> Iterator[Example]:
    for kind in KEYS.split("|"):
        body = "\n".join(word(BASE64, 64) for _ in range(3))
        frame = ("-" * 5 + f"BEGIN {kind}" + "-" * 5, "-" * 5 + f"END {kind}" + "-" * 5)
        middle = body.splitlines()[1]
        yield Example("private keys", f"{frame[0]}\n{body}\n{frame[1]}\n", middle)
        yield Example("private keys", f"{frame[0]}\n{body}\n", middle)
        yield Example("private keys", f"{body}\n{frame[1]}\n", middle)
        yield Example("private keys", json.dumps({"k": f"{frame[0]}\n{body}\n{frame[1]}"}), middle)
    body = word(BASE64, 64)
    putty = f"PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\n{body}\nPrivate-MAC: 00\n"
    yield Example("private keys", putty, body)
    exponent = word(URL_SAFE, 64)
    yield Example("private keys", f'{{"kty": "RSA", "n": "AQAB", "d": "{exponent}"}}', exponent)


def _encoded(word) -> Iterator[Example]:
    for template in ("postgresql://u:{}@db/x", "password={}", "Authorization: Bearer {}"):
        encoded = base64.b64encode(template.format(word()).encode()).decode()
        yield Example("base64", f"x = {encoded}", encoded)
    login = base64.b64encode(f"user:{word()}".encode()).decode()
    yield Example("base64", json.dumps({"auths": {"r.example.com": {"auth": login}}}), login)
    whole = base64.b64encode(json.dumps({"auths": {"r": {"auth": login}}}).encode()).decode()
    yield Example("base64", f".dockerconfig: {whole}", whole)
