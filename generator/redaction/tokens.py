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
    _format("Age", "AGE-SECRET-KEY-1 AGE-PLUGIN-", r"[A-Z0-9-]{16,}+"),
    _format("Alibaba Cloud", "LTAI", r"[A-Za-z0-9]{12,}+"),
    _format("Anthropic, OpenAI, OpenRouter, Langfuse", "sk-", _MIXED),
    _format("Artifactory", "AKCp cmVmdGtu", _ALNUM),
    _format("Atlassian, Bitbucket", "ATATT3 ATCTT3 ATBB", r"[\w=-]{16,}+"),
    _format("AWS access key ids", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _format("AWS Bedrock, EKS", "ABSK bedrock-api-key- k8s-aws-v1.", _BASE64),
    _format("Buildkite", "bkua_ bkct_", _ALNUM),
    _format("CircleCI", "CCIPAT_ CCIPRJ_", _WORD),
    _format("Clojars, Cargo", "CLOJARS_ cio", r"[A-Za-z0-9]{32,}+"),
    _format("Contentful", "CFPAT-"),
    _format("Databricks", "dapi dose", r"[A-Za-z0-9]{24,}+(?:-\d)?"),
    _format("dbt Cloud", "dbtc_ dbtu_", r"[\w=-]{16,}+"),
    _format("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", _ALNUM),
    _format("Docker Hub", "dckr_pat_ dckr_oat_"),
    _format("Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]{16,}+"),
    _format("Dynatrace", "dt0c01. dt0s01. dt0s02. dt0s16.", r"[A-Z0-9.]{16,}+"),
    _format("Elastic", "essu_", r"[\w=-]{16,}+"),
    _format("Fly.io", "fo1_ fm1_ fm2_ fm1r_ fm1a_", r"[\w+/=-]{16,}+"),
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
    _format("Google OAuth", "ya29. GOCSPX- 1//0", r"[\w.-]{16,}+"),
    _format("Grafana", "glsa_ glc_ eyJrIjoi", r"[\w+/=-]{16,}+"),
    _format("Groq, xAI, Perplexity, Replicate", "gsk_ xai- pplx- r8_", r"[A-Za-z0-9]{20,}+"),
    _format("HashiCorp Vault", "hvs. hvb. hvr.", _WORD),
    _format("Heroku", "HRKU-"),
    _format("Honeycomb", "hcaik_ hcxik_ hcaic_", _ALNUM),
    _format("HubSpot", "pat-na1- pat-eu1-"),
    _format("Hugging Face", "hf_ api_org_", _ALNUM),
    _format("Infracost", "ico-", r"[A-Za-z0-9]{24,}+"),
    _format("JSON Web Tokens", "eyJ", _JWT),
    _format("LangSmith", "lsv2_pt_ lsv2_sk_"),
    _format("Linear", "lin_api_ lin_oauth_", _ALNUM),
    _format("MongoDB Atlas", "mdb_sa_sk_"),
    _format("Mailgun", "key-", r"[0-9a-f]{32}"),
    _format("Netlify", "nfp_ nfc_ nfo_", _ALNUM),
    _format("New Relic", "NRAK- NRII- NRIQ- NRJS- NRRA-", r"[\w-]{16,}+"),
    _format("Notion", "ntn_", _ALNUM),
    _format("npm", "npm_", _ALNUM),
    _format("1Password", "ops_eyJ", r"[\w+/=-]{16,}+"),
    _format("OpenShift", "sha256~", _WORD),
    _format("PlanetScale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.=-]{16,}+"),
    _format("Postman", "PMAK-"),
    _format("Prefect", "pnu_ pnb_", _ALNUM),
    _format("Pulumi", "pul-", r"[0-9a-f]{32,}+"),
    _format("PyPI", "pypi-", _CAPITAL),
    _format("registry logins in base64", "eyJhdXRocyI6", r"[A-Za-z0-9+/=_-]+"),
    _format("RubyGems", "rubygems_", r"[0-9a-f]{16,}+"),
    _format("SendGrid", "SG.", r"[\w-]{16,}+(?:\.[\w-]+)?"),
    _format("Brevo", "xkeysib- xsmtpsib-"),
    _format("Sentry", "sntrys_ sntryu_ sntrya_", r"[\w+/=-]{16,}+"),
    _format("Shopify", "shpat_ shpss_ shpca_ shppa_", _ALNUM),
    _format("Slack", "xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xapp- xwfp-",
            r"[\w.%-]{10,}+"),
    _format("SonarQube", "sqp_ squ_ sqa_", _ALNUM),
    _format("Square", "sq0atp- sq0csp- sq0idp-"),
    _format("Stripe", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", r"[A-Za-z0-9+/=]{10,}+"),
    _format("Supabase", "sbp_ sb_secret_", r"\w{16,}+"),
    _format("Tailscale", "tskey-", _WORD),
    _format("Twilio", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("OpenSSH keys without their frame", "b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/=\s\\]+"),
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
    Format("Mailchimp", ("-us",), _edge(r"\w") + r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    Format("New Relic licences", ("NRAL",), _edge(r"\w") + r"[0-9a-fA-Fx]{32,36}NRAL(?!\w)"),
    Format("Telegram bots", (":AA",), _edge(r"\d") + r"\d{8,10}:AA[\w-]{30,}+"),
    Format("Airtable", ("pat",), _edge(r"\w.") + r"pat[A-Za-z0-9]{14}\.[0-9a-f]{16,}+"),
)
_LONG_WORD = re.compile(r"(?<![\w.~+/=:-])[\w.~+/=:-]{24,}+", re.ASCII)
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_AWS_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_HEX = re.compile(r"[0-9a-f]{40}")
_NEAR = 300
_SHORT = 400


@functools.cache
def _beginnings() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (start, re.compile(f"{_at_word(re.escape(start))}{item.rest}", re.DOTALL))
        for item in FORMATS
        for start in item.beginnings
    )


def _at_word(start: str) -> str:
    """The literal where a word begins with it; `\\n` and `%3D` before it are no part of it."""
    return rf"{start}(?:(?<![^\W_]{start})|(?<=\\.{start})|(?<=%..{start}))"


@functools.cache
def _inner() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    return tuple((item.beginnings, re.compile(item.rest)) for item in INNER)


@functools.cache
def _pairs() -> frozenset[tuple[str, ...]]:
    """The first two characters of every beginning."""
    return frozenset(tuple(start[:2]) for start, _ in _beginnings())


def _may_hold_beginning(text: str) -> bool:
    """Whether one can stand in it; most values are short, and 159 searches are many."""
    return len(text) > _SHORT or not _pairs().isdisjoint(pairwise(text))


def tokens(text: str) -> Iterator[Interval]:
    """Where tokens of a published format stand."""
    for start, pattern in _beginnings() if _may_hold_beginning(text) else ():
        if start in text:
            yield from (match.span() for match in pattern.finditer(text))
    for long in _LONG_WORD.finditer(text):
        word = long.group()
        for inside, pattern in _inner():
            if any(part in word for part in inside):
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
