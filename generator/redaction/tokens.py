"""Published token formats: what the tokens of a vendor begin with, and what follows.

The lengths are lower than those that the vendors publish, so that a token that was cut is masked
too, and longer ones of a later version. Each format is looked for by its literal beginning, which
costs next to nothing where it does not occur.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from itertools import pairwise

Interval = tuple[int, int]

_ALNUM = r"[A-Za-z0-9]{16,}+"
_WORD = r"[\w-]{16,}+"
_DOTTED = r"[\w-]{10,}+(?:\.[\w-]+)*+"
_BASE64 = r"[A-Za-z0-9+/_-]{16,}+={0,2}"
_MIXED = r"(?=[a-z_-]{0,80}+[0-9A-Z])[\w-]{16,}+"  # no name of lower-case words
_OF_HEX = r"[0-9a-f]{24,}+"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CAPITAL = r"(?=[a-z0-9_-]{0,80}+[A-Z])[\w-]{16,}+"
# A part that may be long and then lack its dot is looked for at the beginning of a word only.
_JWT = (
    r"(?:(?<![\w-]eyJ)|(?<=\\[nrt]eyJ)|(?<=%3DeyJ))"
    r"[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+){1,3}"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """A vendor's tokens: the literal beginnings and a pattern for the rest."""

    vendor: str
    beginnings: tuple[str, ...]
    rest: str


def _format(vendor: str, beginnings: str, rest: str = _WORD) -> Format:
    return Format(vendor, tuple(beginnings.split()), rest)


FORMATS = (
    _format("Age", "AGE-SECRET-KEY- AGE-PLUGIN-", r"[A-Z0-9-]{16,}+"),
    _format("Adyen", "AQE", r"[a-z]hm[\w+/=-]{40,}+"),
    _format("Aiven", "AVNS_ aivenv1", _WORD),
    _format("Alibaba, Tencent, Volcengine", "LTAI AKID AKLT", r"[A-Za-z0-9]{12,}+"),
    _format("Anthropic, OpenAI, OpenRouter, Langfuse", "sk-", _MIXED),
    _format("Artifactory", "AKCp cmVmdGtu", _ALNUM),
    _format("Atlassian, Bitbucket", "ATATT3 ATCTT3 ATBB", r"[\w=-]{16,}+"),
    _format("AWS access key ids", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _format("Axiom", "xaat- xapt-", _UUID),
    _format("AWS Bedrock, EKS", "ABSK bedrock-api-key- k8s-aws-v1.", _BASE64),
    _format("Braintree", "access_token$", r"\w{4,20}\$[0-9a-f]{16}\$[0-9a-f]{32}"),
    _format("Buildkite", "bkua_ bkct_", _ALNUM),
    _format("CircleCI", "CCIPAT_ CCIPRJ_", _WORD),
    _format("Clojars, Cargo", "CLOJARS_ cio", r"[A-Za-z0-9]{32,}+"),
    _format("Cloudflare origins", "v1.0-", r"[0-9a-f]{24}-[0-9a-f]{64,}+"),
    _format("Confluent", "cflt", r"(?=[A-Za-z]*[0-9])[A-Za-z0-9+/]{40,}+"),
    _format("Contentful", "CFPAT-"),
    _format("Datadog", "ddapp_ ddpat_", _ALNUM),
    _format("Databricks", "dapi dose", r"[A-Za-z0-9]{24,}+(?:-\d)?"),
    _format("dbt Cloud", "dbtc_ dbtu_", r"[\w=-]{16,}+"),
    _format("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", _ALNUM),
    _format("Docker Hub", "dckr_pat_ dckr_oat_"),
    _format("Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]{16,}+"),
    _format("Dropbox", "sl.", r"(?:u\.)?[\w-]{60,}+"),
    _format("Dynatrace", "dt0c01. dt0s01. dt0s02. dt0s16.", r"[A-Z0-9.]{16,}+"),
    _format("E2B, ElevenLabs, Firecrawl", "e2b_ sk_ fc-", _OF_HEX),
    _format("EasyPost, Facebook", "EZAK EZTK EAAC EAAG", r"[A-Za-z0-9]{50,}+"),
    _format("Elastic", "essu_", r"[\w=-]{16,}+"),
    _format("Firebase", "APA91b", r"[\w-]{60,}+"),
    _format("Flutterwave", "FLWSECK", r"(?:_TEST)?-[0-9a-f]{24,}+(?:-X)?"),
    _format("Fly.io", "fo1_ fm1_ fm2_ fm1r_ fm1a_", r"[\w+/=-]{16,}+"),
    _format("gen-env-service", "genenv_", r"[\w-]{43}"),
    _format("GitHub", "ghp_ gho_ ghu_ ghr_", _ALNUM),
    _format("GitHub App installations", "ghs_", r"[\w.-]{16,}+"),  # opaque, or a JWT with dots
    _format("GitHub fine-grained", "github_pat_", r"\w{16,}+"),
    _format(
        "GitLab",
        "glpat- gldt- glrt- glrtr- glft- glimt- glagent- glcbt- glptt- glsoat- gloas- glffct- glwt-"
        " GR1348941",
        _DOTTED,
    ),
    _format("Google API keys", "AIza", r"[\w-]{24,}+"),
    _format("Google HMAC", "GOOG", r"[A-Z0-9]{20,}+"),
    _format("Google OAuth", "ya29. GOCSPX- 1//0", r"[\w.-]{16,}+"),
    _format("Grafana", "glsa_ glc_ eyJrIjoi", r"[\w+/=-]{16,}+"),
    _format("Harness, Infisical", "pat. st.", r"(?:[A-Za-z0-9_-]{20,}+\.){2}\w{16,}+"),
    _format("Groq, xAI, Perplexity, Replicate", "gsk_ xai- pplx- r8_", r"[A-Za-z0-9]{20,}+"),
    _format("HashiCorp Vault", "hvs. hvb. hvr.", _WORD),
    _format("Heroku", "HRKU-"),
    _format("Honeycomb", "hcaik_ hcxik_ hcaic_", _ALNUM),
    _format("HubSpot", "pat-", rf"[a-z]{{2}}\d-{_UUID}"),
    _format("Hugging Face", "hf_ api_org_", _ALNUM),
    _format("Inngest", "signkey-", r"\w{2,20}-[0-9a-f]{24,}+"),
    _format("Infracost", "ico-", r"[A-Za-z0-9]{24,}+"),
    _format("JSON Web Tokens", "eyJ", _JWT),
    _format("K3s", "K10", r"[0-9a-f]{64}::[\w:.-]+"),
    _format("LaunchDarkly", "sdk- mob- api-", _UUID),
    _format("LangSmith", "lsv2_pt_ lsv2_sk_"),
    _format("Linear", "lin_api_ lin_oauth_", _ALNUM),
    _format("Mapbox", "sk.eyJ"),
    _format("MongoDB Atlas", "mdb_sa_sk_"),
    _format("Mailgun", "key-", r"[0-9a-f]{32}"),
    _format("Netlify", "nfp_ nfc_ nfo_", _ALNUM),
    _format("New Relic", "NRAK- NRII- NRIQ- NRJS- NRRA-", r"[\w-]{16,}+"),
    _format("Notion", "ntn_", _ALNUM),
    _format("npm", "npm_", _ALNUM),
    _format("NuGet", "oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])"),
    _format("Octopus", "API-", r"[A-Z0-9]{25,}+"),
    _format("Packagist", "packagist_", r"[a-z]{3}_[0-9a-f]{24,}+"),
    _format("Plaid", "access-", rf"(?:sandbox|development|production)-{_UUID}"),
    _format("Okta", "00", r"(?=[\w-]{0,39}[A-Z])(?=[\w-]{0,39}[a-z])[\w-]{40}(?![\w-])"),
    _format("1Password", "ops_eyJ", r"[\w+/=-]{16,}+"),
    _format("OpenShift", "sha256~", _WORD),
    _format("PlanetScale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.=-]{16,}+"),
    _format("Postman", "PMAK-"),
    _format("Prefect", "pnu_ pnb_", _ALNUM),
    _format("Pulumi", "pul-", r"[0-9a-f]{32,}+"),
    _format("PyPI", "pypi-", _CAPITAL),
    _format("registry logins in base64", "eyJhdXRocyI6", r"[A-Za-z0-9+/=_-]+"),
    _format("Resend", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}+"),
    _format("RubyGems", "rubygems_", r"[0-9a-f]{16,}+"),
    _format("SendGrid", "SG.", r"[\w-]{16,}+(?:\.[\w-]+)?"),
    _format("Brevo", "xkeysib- xsmtpsib-"),
    _format("Sanity", "sk", r"(?=[a-z]{0,80}[0-9A-Z])[A-Za-z0-9]{80,}+"),
    _format("Salesforce", "00D", r"[A-Za-z0-9]{12,15}![\w.]{40,}+"),
    _format("Sentry", "sntrys_ sntryu_ sntrya_", r"[\w+/=-]{16,}+"),
    _format("Shopify", "shpat_ shpss_ shpca_ shppa_", _ALNUM),
    _format("Slack", "xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xapp- xwfp-",
            r"[\w.%-]{10,}+"),
    _format("SonarQube", "sqp_ squ_ sqa_", _ALNUM),
    _format("Shippo, Rootly", "shippo_live_ shippo_test_ rootly_", _OF_HEX),
    _format("Snyk", "snyk_uat. snyk_sat.", r"[\w.-]{16,}+"),
    _format("Sourcegraph", "sgp_", r"(?:\w{1,16}_)?[0-9A-Za-z]{24,}+"),
    _format("Square", "sq0atp- sq0csp- sq0idp- EAAA", _CAPITAL),
    _format(
        "Stripe, Razorpay",
        "sk_live_ sk_test_ sk_org_ rk_live_ rk_test_ ek_live_ ek_test_ whsec_ rzp_live_ rzp_test_",
        r"[A-Za-z0-9+/=_]{10,}+",
    ),
    _format("Supabase", "sbp_ sb_secret_", r"\w{16,}+"),
    _format("Tailscale", "tskey-", _WORD),
    _format("Twilio", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("OpenSSH keys without their frame", "b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/=\s\\]+"),
    _format("Yandex Cloud", "AQVN t1.9eu", r"[\w-]{30,}+(?:\.[\w-]+)*+"),
    _format(
        "Adafruit, Anyscale, Apify, Cerebras, Cloudflare, Deno, Duffel, Figma, Fireworks, Frame.io,"
        " Jina, LlamaIndex, Neon, Notion before 2024, NVIDIA, Pinecone, PostHog, ReadMe, Render,"
        " Scalingo, Tavily, Trigger.dev, Typeform, UpCloud, Vercel, Voyage, W&B, Yandex, Zuplo",
        "aio_ aph0_ apify_api_ csk- cfut_ cfat_ ddp_ duffel_ figd_ fw_ fio-u- jina_ llx- napi_"
        " secret_ nvapi- pcsk_ phx_ rdme_ rnd_ tk-us- tvly- tr_prod_ tfp_ ucat_ vcp_ pa- wandb_v1_"
        " y0_ zpka_",
        r"(?=[a-z0-9_-]{0,80}[A-Z])(?=[A-Za-z_-]{0,80}[0-9])\w{20,}+",
    ),
    _format(
        "RSA keys without their frame",
        "MII",
        r"[A-Za-z][A-Za-z0-9+/]{2}IBA(?:DAN|AKC)[A-Za-z0-9+/=]{20,}+(?:(?:\s|\\n)[A-Za-z0-9+/=]++)*+",
    ),
)  # fmt: skip


def _edge(inner: str) -> str:
    """Where a word begins: not behind one of these, but behind the `n` of a written `\\n`."""
    return rf"(?:(?<![{inner}])|(?<=\\[nrt]))"


# Formats that are known by something inside of them; all are long words.
INNER = (
    Format("Azure client secrets", ("Q~",), _edge(r"\w~.-") + r"[\w~.-]{3}\dQ~[\w~.-]{20,}+"),
    Format(
        "Azure storage and other keys", ("==",), _edge(r"\w+/-") + r"[A-Za-z0-9+/]{86}==(?![\w=])"
    ),
    Format(
        "Azure DevOps and Functions",
        ("AZDO", "AzFu", "AzSe"),
        _edge(r"\w-") + r"[\w-]{30,90}(?:AZDO|AzFu|AzSe)[\w=-]{4,}+",
    ),
    Format(
        "Azure keys with a signature",
        ("ASb", "AEh", "ARm", "ACR", "JQQJ99"),
        _edge(r"\w+/-") + r"[A-Za-z0-9+/]{32,80}(?:\+(?:ASb|AEh|ARm|ACR)|JQQJ99)\w{4,40}+=?",
    ),
    Format("Fernet keys", ("=",), _edge(r"\w-") + r"[\w-]{43}=(?![\w=])"),
    Format("Discord bots", (".",), _edge(r"\w.-") + r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}+"),
    Format(
        "HashiCorp Terraform",
        (".atlasv1.",),
        _edge(r"A-Za-z0-9") + r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{16,}+",
    ),
    Format(
        "HashiCorp Vault before 1.10",
        ("s.", "b.", "r."),
        _edge(r"\w./:-") + r"[sbr]\.(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{24}(?![\w.])",
    ),
    Format(
        "Mailchimp, Mailgun",
        ("-",),
        _edge(r"\w") + r"[0-9a-f]{32}-(?:us\d{1,2}|[0-9a-f]{8}-[0-9a-f]{8})(?!\w)",
    ),
    Format("Asana", (":",), _edge(r"\w./:-") + r"[12]/(?:\d{12,20}/)?\d{12,20}:[0-9a-f]{32}"),
    Format("New Relic licences", ("NRAL",), _edge(r"\w") + r"[0-9a-fA-Fx]{32,36}NRAL(?!\w)"),
    Format("Telegram bots", (":AA",), _edge(r"\d") + r"\d{8,10}:AA[\w-]{30,}+"),
    Format(
        "vendors that put their name before it",
        tuple("0123456789"),
        # Lower-case parts, then letters and digits in turns that no name in camel case takes.
        _edge(r"\w\\-") + r"[a-z](?:[a-z0-9]{1,12}+[_-]){1,4}"
        r"(?=[A-Za-z0-9]{20})(?=[a-z0-9]{0,60}+[A-Z])"
        r"(?:[A-Za-z0-9]{0,32}?(?:[0-9][a-z]|[A-Z][a-z][A-Z0-9])){2}[\w-]*+",
    ),
    Format("Airtable", ("pat",), _edge(r"\w.") + r"pat[A-Za-z0-9]{14}\.[0-9a-f]{16,}+"),
)
_LONG = 24
_LONG_WORD = re.compile(rf"(?<![\w.~+/=:-])[\w.~+/=:-]{{{_LONG},}}+", re.ASCII)
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_AWS_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_HEX = re.compile(r"[0-9a-f]{40}")
_NEAR = 300
_SHORT = 400


_BEGINNINGS = tuple((start, item.rest) for item in FORMATS for start in item.beginnings)


@functools.cache
def _token(start: str, rest: str) -> re.Pattern[str]:
    """Compiled when a text holds its beginning: most never do."""
    return re.compile(f"{_at_word(re.escape(start))}{rest}", re.DOTALL)


def _at_word(start: str) -> str:
    """The literal where a word begins with it; `\\n` and `%3D` before it are no part of it."""
    return rf"{start}(?:(?<![^\W_]{start})|(?<=\\.{start})|(?<=%..{start}))"


@functools.cache
def _inner() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (re.compile("|".join(map(re.escape, item.beginnings))), re.compile(item.rest))
        for item in INNER
    )


def _by_pair() -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for number, (start, _) in enumerate(_BEGINNINGS):
        found.setdefault(tuple(start[:2]), []).append(number)
    return found


_BY_PAIR = _by_pair()
"""Which beginnings have these first two characters."""


def _possible(text: str) -> list[tuple[str, str]]:
    """The beginnings that can stand in it; most values are short, and 230 searches are many."""
    if len(text) > _SHORT:
        letters = set(text)
        return [item for item in _BEGINNINGS if letters.issuperset(item[0])]
    numbers = [number for pair in {*pairwise(text)} for number in _BY_PAIR.get(pair, ())]
    return [_BEGINNINGS[number] for number in sorted(numbers)]


def tokens(text: str) -> Iterator[Interval]:
    """Where tokens of a published format stand."""
    for start, rest in _possible(text):
        if start in text:
            yield from (match.span() for match in _token(start, rest).finditer(text))
    long_enough = len(text) >= _LONG
    inner = [each for each in _inner() if each[0].search(text)] if long_enough else ()
    for long in _LONG_WORD.finditer(text) if inner else ():
        for inside, pattern in inner:
            if inside.search(text, *long.span()):
                yield from (match.span() for match in pattern.finditer(text, *long.span()))
    yield from _aws_secrets(text)


def _aws_secrets(text: str) -> Iterator[Interval]:
    """The secret that belongs to an AWS access key id: 40 characters of base64 close to it."""
    done = 0
    for match in _AWS_ID.finditer(text) if "AKIA" in text or "ASIA" in text else ():
        left, done = max(done, match.start() - _NEAR), match.end() + _NEAR
        for secret in _AWS_SECRET.finditer(text, left, min(len(text), done)):
            if not _HEX.fullmatch(secret.group()):
                yield secret.span()
