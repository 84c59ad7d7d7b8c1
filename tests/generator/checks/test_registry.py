from generator.checks import definition, estate
from generator.checks.registry import RULES
from generator.values_found import RULES as SOURCE_RULES


def test_every_rule_is_listed_once_and_explained():
    everything = [*RULES, *SOURCE_RULES, *definition.rules(), *estate.RULES]
    assert len({rule.id for rule in everything}) == len(everything)
    for rule in everything:
        assert rule.title and rule.why.endswith(".")
        assert rule.severity in ("error", "warning", "info")


def test_no_rule_says_in_its_title_what_it_says_in_its_reason():
    assert all(rule.title != rule.why for rule in RULES)
