"""A values schema of our own with the forms that the official one has."""

HOST = {
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "tls": {"type": "object", "properties": {"enabled": {"type": "boolean"}}},
            },
            "required": ["name"],
        },
        {"type": "string"},
    ]
}
SECTION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "replicas": {"type": ["integer", "null"]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "resources": {"$ref": "#/definitions/Resources"},
        "serviceAccount": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "create": {"type": "boolean"}},
        },
        "podDisruptionBudget": {
            "type": "object",
            "additionalProperties": True,
            "properties": {
                "enabled": {"type": ["boolean", "null"]},
                "config": {
                    "type": "object",
                    "additionalProperties": True,
                    "properties": {"minAvailable": {}, "maxUnavailable": {}},
                },
            },
        },
    },
}
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "executor": {"type": "string", "pattern": "^[A-Za-z,]+Executor$"},
        "images": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "tag": {"type": ["string", "null"]},
                "pullPolicy": {"enum": ["Always", "Never", "IfNotPresent"]},
            },
        },
        "scheduler": SECTION,
        "createUserJob": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"defaultUser": {"type": "object", "properties": {"role": {}}}},
        },
        "workers": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "celery": {
                    "type": "object",
                    "properties": {
                        **SECTION["properties"],
                        "enableDefault": {"type": "boolean"},
                        "sets": {
                            "type": "array",
                            "items": {"type": "object", "additionalProperties": {}},
                        },
                    },
                }
            },
        },
        "hosts": {"type": "array", "items": HOST},
        "env": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            },
        },
        "extraEnv": {"type": ["null", "string"]},
        "extraSecrets": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"data": {"type": "string"}},
            },
        },
        "priorityClasses": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "integer"}},
            },
        },
        "config": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            },
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "postgresql": {"type": "object", "properties": {"enabled": {"type": "boolean"}}},
    },
    "definitions": {
        "Resources": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"limits": {"type": "object"}, "requests": {"type": "object"}},
        }
    },
}
VALUES = {
    "executor": "CeleryExecutor",
    "images": {"tag": None, "pullPolicy": "IfNotPresent"},
    "scheduler": {"replicas": 1, "labels": {}, "resources": {}},
    "createUserJob": {"defaultUser": {"role": "Admin"}},
    "workers": {"celery": {"replicas": None, "enableDefault": True, "sets": []}},
    "hosts": [],
    "env": [],
    "extraEnv": None,
    "extraSecrets": {},
    "priorityClasses": [],
    "config": {"core": {"parallelism": 32}},
    "labels": {},
    "postgresql": {"enabled": True},
    "onlyInValues": {"a": 1},
}
