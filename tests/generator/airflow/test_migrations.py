"""The way from one image to another and back, with Airflow's own revisions and its providers'."""

import pytest

from generator.airflow import managers, migrations
from generator.airflow.migrations import Image, between


def commands(steps):
    return [(step.command, step.image) for step in steps]


def image(airflow, **providers):
    return Image(airflow, providers)


def test_down_the_provider_goes_first_with_the_newer_image():
    way = between(image("3.1.8", fab="3.4.0"), image("3.2.2", fab="3.6.4"))
    assert commands(way.there) == [("airflow db migrate", "3.2.2")]
    assert commands(way.back) == [
        ("airflow fab-db downgrade --to-version 3.4.0 --yes", "3.2.2"),
        ("airflow db downgrade --to-version 3.1.8 --yes", "3.2.2"),
    ]
    assert "fab 02ca36b0235b" in way.revisions
    assert len(way.revisions) == 23
    assert way.reversible


def test_the_same_way_seen_from_the_other_end_has_the_steps_exchanged():
    one, other = image("3.1.8", fab="3.4.0"), image("3.2.2", fab="3.6.4")
    up, down = between(one, other), between(other, one)
    assert (down.there, down.back) == (up.back, up.there)


def test_a_provider_alone_may_move_the_schema():
    way = between(image("3.1.8", fab="3.4.0"), image("3.1.8", fab="3.5.0"))
    assert commands(way.back) == [("airflow fab-db downgrade --to-version 3.4.0 --yes", "3.1.8")]


def test_a_provider_that_goes_down_while_airflow_goes_up():
    way = between(image("3.1.8", fab="3.5.0"), image("3.2.2", fab="3.4.0"))
    assert commands(way.there) == [
        ("airflow fab-db downgrade --to-version 3.4.0 --yes", "3.1.8"),
        ("airflow db migrate", "3.2.2"),
    ]
    assert commands(way.back) == [
        ("airflow db downgrade --to-version 3.1.8 --yes", "3.2.2"),
        ("airflow db migrate", "3.1.8"),
    ]


def test_nothing_moves_between_patches_with_one_schema():
    way = between(image("3.2.0", fab="3.6.0"), image("3.2.2", fab="3.6.4"))
    assert (way.there, way.back, way.revisions) == ((), (), ())
    assert way.reversible


@pytest.mark.parametrize(("old", "new"), [("3.0.2", "3.0.3"), ("2.8.0", "2.8.1")])
def test_a_revision_without_a_downgrade_is_not_reversible(old, new):
    way = between(image(old), image(new))
    assert not way.reversible and not way.assumed
    assert "its downgrade leaves everything as it is" in way.lost[0]
    assert not migrations.reversible(old, new)


def test_airflow_3_is_never_left_for_2_without_a_loss():
    way = between(image("2.11.0"), image("3.2.2", fab="3.6.4"))
    assert not way.reversible
    assert any("pickled" in text for text in way.lost)


def test_unknown_providers_are_those_of_the_release_date_and_nothing_is_called_reversible():
    way = between(Image("3.1.8"), Image("3.2.2"))
    assert not way.reversible
    assert "assumed fab 3.4.0, the newest when that Airflow was published" in way.assumed[0]
    assert commands(way.back)[0] == ("airflow fab-db downgrade --to-version 3.4.0 --yes", "3.2.2")


def test_a_release_newer_than_the_tables_is_assumed():
    way = between(image("3.3.2", fab="3.9.0"), image("3.4.0", fab="3.9.0"))
    assert not way.reversible
    assert "newer than 3.3.2" in way.assumed[0]
    assert commands(way.back) == [("airflow db downgrade --to-version 3.3.2 --yes", "3.4.0")]


@pytest.mark.parametrize(("new", "old"), [("3.4.0", "3.3.2"), ("2.11.0", "2.5.3")])
def test_the_way_down_is_down_where_the_revisions_tell_nothing(new, old):
    way = between(image(new), image(old))
    assert commands(way.there) == [(f"airflow db downgrade --to-version {old} --yes", new)]
    assert way.assumed


def test_a_provider_without_a_command_for_a_downgrade_is_not_reversible():
    way = between(image("3.2.2", edge3="3.2.0"), image("3.2.2", edge3="3.5.0"))
    assert way.back == () and not way.reversible
    assert way.lost == ("edge3: it has no command for a downgrade",)


def test_a_provider_that_leaves_the_image_is_said():
    way = between(image("3.1.8", fab="3.4.0"), image("3.1.8"))
    assert way.assumed == ("provider fab leaves: whether its tables stay is not known",)


@pytest.mark.parametrize("name", ["fab", "edge3"])
def test_a_provider_that_arrives_in_the_image_moves_the_schema_and_has_no_known_way_back(name):
    one, other = image("3.2.2"), image("3.2.2", **{name: "3.6.4"})
    way = between(one, other)
    assert commands(way.there) == [("airflow db migrate", "3.2.2")]
    assert way.back == () and way.lost == () and not way.reversible
    assert way.assumed[0].startswith(f"provider {name} arrives with tables of its own")
    back = between(other, one)
    assert (back.there, back.back) == (way.back, way.there)


def test_where_providers_are_not_known_none_is_said_to_arrive_or_leave():
    for start, end in (("3.0.5", "3.2.2"), ("3.2.2", "3.0.5")):
        way = between(Image(start), Image(end))
        assert "providers of the image with Airflow 3.0.5 are not known" in way.assumed
        assert not any("arrives" in text or "leaves" in text for text in way.assumed)


def test_airflow_2_migrates_no_provider():
    way = between(image("2.10.3", fab="1.0.4"), image("2.11.0", fab="1.5.3"))
    assert (way.there, way.lost, way.assumed) == ((), (), ())


def test_a_patch_that_its_line_is_not_known_to_have_is_assumed():
    way = between(image("3.2.2", fab="3.6.4"), image("3.2.9", fab="3.6.4"))
    assert way.assumed == ("Airflow 3.2.9 is newer than 3.2.2, the newest known before it",)


def test_releases_that_the_newest_airflow_has_squashed_have_their_own_schema():
    assert between(image("2.5.3"), image("2.6.1")).assumed
    assert migrations.revision_head("2.6.1") != migrations.revision_head("2.5.3")


def test_what_lies_before_the_known_revisions_is_not_guessed():
    way = between(image("2.5.3"), image("2.11.0"))
    assert not way.reversible
    assert "revisions of airflow between 2.5.3 and 2.11.0 are not known" in way.assumed


def test_what_is_no_release_has_no_migration():
    assert between(Image("main"), Image("3.2.2")) is None


def test_heads_are_those_of_the_last_release_that_moved_the_schema():
    assert migrations.revision_head("3.2.2") == migrations.Head("1d6611b6ab7c")
    assert migrations.revision_head("3.1.7").revision == "cc92b33c6709"
    assert migrations.provider_head("fab", "3.4.0").revision == "6709f7a774b9"
    assert migrations.provider_head("fab", "9.0.0").assumed
    assert migrations.provider_head("amazon", "9.0.0") == migrations.Head("")


def test_the_official_image_of_a_release_holds_the_providers_of_its_day():
    # As in the published constraints of these releases.
    assert migrations.of_official_image("3.2.2") == {"fab": "3.6.4"}
    assert migrations.of_official_image("3.3.0") == {"fab": "3.7.1"}
    assert migrations.of_official_image("3.3.1") == {"fab": "3.8.0"}
    assert migrations.of_official_image("3.9.9") is None


SIMPLE = managers.Options(managers.SIMPLE_AUTH)
LISTED = managers.Options(
    managers.SIMPLE_AUTH, ("airflow.providers.fab.auth_manager.models.db.FABDBManager",)
)
UNKNOWN = managers.Options(managers.SIMPLE_AUTH, unread="AIRFLOW__CORE__AUTH_MANAGER of env")
EDGE = managers.Options(managers.SIMPLE_AUTH, executors=("EdgeExecutor",))


def both(options, old, new):
    return between(*(Image(*content, options) for content in (old, new)))


def test_a_chain_that_no_airflow_runs_has_no_steps_and_is_named():
    way = both(SIMPLE, ("3.1.7", {"fab": "3.4.0"}), ("3.1.8", {"fab": "3.6.4"}))
    assert all("fab" not in step.command for step in (*way.there, *way.back))
    (words,) = way.idle
    assert words.startswith("the chain of fab has no step and its tables stay")
    assert "Airflow 3.1.7, where [core] auth_manager is SimpleAuthManager" in words
    assert way.reversible


def test_from_3_2_on_an_installed_provider_runs_its_chain_whatever_the_auth_manager():
    old, new = ("3.2.0", {"fab": "3.4.0"}), ("3.2.2", {"fab": "3.6.4"})
    way = both(SIMPLE, old, new)
    assert commands(way.back) == [("airflow fab-db downgrade --to-version 3.4.0 --yes", "3.2.2")]
    assert way.idle == () and both(UNKNOWN, old, new) == way


def test_a_provider_before_it_names_its_manager_runs_only_with_its_auth_manager():
    old, new = ("3.2.0", {"fab": "3.3.0"}), ("3.2.2", {"fab": "3.6.4"})
    assert both(SIMPLE, old, new).idle and not both(SIMPLE, old, new).back
    assert both(managers.Options(), old, new).back and not both(managers.Options(), old, new).idle


def test_the_image_that_does_not_run_the_chain_needs_no_downgrade_of_it():
    old, new = ("3.1.8", {"fab": "3.4.0"}), ("3.2.2", {"fab": "3.6.4"})
    up, down = both(SIMPLE, old, new), both(SIMPLE, new, old)
    assert commands(up.back) == [("airflow db downgrade --to-version 3.1.8 --yes", "3.2.2")]
    assert down.there == up.back and up.idle == down.idle != ()
    assert up.reversible


def test_a_listed_manager_runs_and_goes_down_by_its_path_where_fab_has_no_command():
    way = both(LISTED, ("3.1.7", {"fab": "3.4.0"}), ("3.1.8", {"fab": "3.6.4"}))
    path = LISTED.external[0]
    wanted = f"airflow db-manager downgrade {path} --to-version 3.4.0 --yes"
    assert commands(way.back)[0] == (wanted, "3.1.8")


def test_unknown_options_are_assumed_to_run_the_chain_and_named():
    way = both(UNKNOWN, ("3.1.7", {"fab": "3.4.0"}), ("3.1.8", {"fab": "3.6.4"}))
    assert "fab-db downgrade" in way.back[0].command and not way.reversible
    assert "(AIRFLOW__CORE__AUTH_MANAGER of env): assumed that it does" in way.assumed[0]
    still = both(UNKNOWN, ("3.1.7", {"fab": "3.4.0"}), ("3.1.7", {"fab": "3.4.0"}))
    assert still.assumed == ()


def test_edge_runs_where_its_executor_does_and_nowhere_else():
    old, new = ("3.1.8", {"edge3": "3.2.0"}), ("3.1.8", {"edge3": "3.5.0"})
    assert both(EDGE, old, new).lost == ("edge3: it has no command for a downgrade",)
    without = both(SIMPLE, old, new)
    assert without.lost == () and "no EdgeExecutor starts it" in without.idle[0]
    unknown = both(managers.Options(executors=None), old, new)
    assert "its executors cannot be read" in unknown.assumed[0]
